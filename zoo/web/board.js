// The board: standards in order of inclination, and the galaxy among them. The galaxy is a slider, for hands and readers.

import { h } from "../web/dom.js";
import { deg } from "./frame.js";
import { inclination } from "./lattice.js";

export class Board {
  constructor(root, moved) {
    this.root = root;
    this.moved = moved;
    this.picture = h("img", { alt: "", draggable: "false" });
    this.target = h("div", { class: "tile target", role: "slider", tabindex: 0, "aria-label": "The galaxy, among the standards", "aria-valuemin": 0, "aria-valuemax": 90 },
      h("span", { class: "frame" }, this.picture), h("span", { class: "angle" }, "this one"));
    this.target.addEventListener("pointerdown", (event) => {
      this.target.setPointerCapture(event.pointerId);
      this.dragging = true;
    });
    this.target.addEventListener("pointermove", (event) => this.dragging && this.drag(event.clientX, event.clientY));
    for (const end of ["pointerup", "pointercancel"]) this.target.addEventListener(end, () => { this.dragging = false; });
  }

  /** Show a lattice with the galaxy at a place; `place` null leaves it beside, not yet placed. */
  show(lattice, step, place, url) {
    this.lattice = lattice;
    this.step = step;
    this.picture.src = url;
    this.tiles = lattice.map((one, n) => {
      const tile = h("button", { type: "button", class: "tile", tabindex: -1, "aria-label": `Standard of ${Math.round(one.truth_deg)} degrees: put the galaxy beside it` },
        h("span", { class: "frame" }, h("img", { src: one.picture, alt: "", draggable: "false" })), h("span", { class: "angle" }, deg(one.truth_deg)));
      tile.addEventListener("click", (event) => {
        const box = tile.getBoundingClientRect();
        this.put(event.detail > 0 && event.clientX < box.left + box.width / 2 ? n : n + 1);
        this.target.focus({ preventScroll: true });
      });
      tile.style.order = String(2 * n + 1);
      return tile;
    });
    this.root.replaceChildren(this.target, ...this.tiles);
    this.root.dataset.step = String(step);
    this.put(place);
  }

  /** Move the galaxy to a place: before the standard of that number. */
  put(place) {
    this.place = Math.min(this.lattice.length, Math.max(0, place));
    this.target.style.order = String(2 * this.place);
    const before = this.lattice[this.place - 1];
    const after = this.lattice[this.place];
    const said = before && after ? `between ${deg(before.truth_deg)} and ${deg(after.truth_deg)}` : before ? `above ${deg(before.truth_deg)}` : `below ${deg(after.truth_deg)}`;
    this.target.setAttribute("aria-valuenow", this.inclination.toFixed(1));
    this.target.setAttribute("aria-valuetext", said);
    this.moved(said);
  }

  get inclination() {
    return inclination(this.lattice, this.place, this.step);
  }

  /** Go where a finger is: beside the nearest standard, on the finger's side of its middle. */
  drag(x, y) {
    const boxes = this.tiles.map((tile) => tile.getBoundingClientRect());
    const far = (box) => Math.hypot(x - box.left - box.width / 2, y - box.top - box.height / 2);
    const nearest = boxes.reduce((best, box, n) => (far(box) < far(boxes[best]) ? n : best), 0);
    const inside = far(this.target.getBoundingClientRect()) <= far(boxes[nearest]);
    if (!inside) this.put(x < boxes[nearest].left + boxes[nearest].width / 2 ? nearest : nearest + 1);
  }
}
