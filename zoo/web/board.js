// The board: nine standards in order of inclination, and the galaxy among them. At an end of the nine come the next.
// The galaxy is a slider, for hands and readers.

import { h } from "../web/dom.js";
import { deg } from "./frame.js";
import { NINE, inclination } from "./lattice.js";

const HALF = Math.floor(NINE / 2);

export class Board {
  constructor(root, { moved, missing }) {
    this.root = root;
    this.moved = moved;
    this.missing = missing;
    this.picture = h("img", { alt: "", draggable: "false" });
    this.target = h("div", { class: "tile target", role: "slider", tabindex: 0, "aria-label": "The galaxy, among the standards", "aria-valuemin": 0, "aria-valuemax": 90 },
      h("span", { class: "frame" }, this.picture), h("span", { class: "angle" }, "this one"));
    this.tiles = [];
    this.root.replaceChildren(this.target);
    this.target.addEventListener("pointerdown", (event) => {
      this.target.setPointerCapture(event.pointerId);
      this.dragging = true;
    });
    this.target.addEventListener("pointermove", (event) => this.dragging && this.drag(event.clientX, event.clientY));
    for (const end of ["pointerup", "pointercancel"]) this.target.addEventListener(end, () => this.drop());
  }

  /** Show nine standards of a lattice around the galaxy, which stands at a place. */
  show(lattice, step, place, url) {
    this.lattice = lattice;
    this.step = step;
    this.picture.src = url;
    this.first = null;
    this.root.dataset.step = String(step);
    this.put(place);
  }

  /** Move the galaxy to a place: before the standard of that number. Both its neighbours are shown. */
  put(place) {
    this.place = Math.min(this.lattice.length, Math.max(0, place));
    const last = Math.max(0, this.lattice.length - NINE);
    const hidden = this.first === null || (this.place <= this.first && this.first > 0) || (this.place >= this.first + NINE && this.first < last);
    // the standards must not run away under the finger that drags
    if (hidden && !this.dragging) this.open(Math.min(last, Math.max(0, this.place - HALF)));
    this.target.style.order = String(2 * this.place);
    const before = this.lattice[this.place - 1];
    const after = this.lattice[this.place];
    const said = before && after ? `between ${deg(before.truth_deg)} and ${deg(after.truth_deg)}` : before ? `above ${deg(before.truth_deg)}` : `below ${deg(after.truth_deg)}`;
    this.target.setAttribute("aria-valuenow", this.inclination.toFixed(1));
    this.target.setAttribute("aria-valuetext", said);
    this.moved(said, this.lattice.slice(this.first, this.first + NINE));
  }

  /** Show the nine standards from one on; the galaxy stays in the document, and with it focus and finger. */
  open(first) {
    for (const tile of this.tiles) tile.remove();
    this.first = first;
    this.tiles = this.lattice.slice(first, first + NINE).map((one, n) => this.tile(one, first + n));
    this.root.append(...this.tiles);
  }

  tile(one, number) {
    const real = one.stdev_deg > 0;
    const said = `${deg(one.truth_deg)}${real ? ` ± ${deg(one.stdev_deg)}` : ""}`;
    const picture = h("img", { src: one.picture, alt: "", draggable: "false", onerror: () => real && this.missing(one) });
    const tile = h("button", { type: "button", class: "tile", tabindex: -1, title: one.name || null, "aria-label": `Standard of ${said}${real ? `, ${one.name}` : ""}: put the galaxy beside it` },
      h("span", { class: "frame" }, picture), h("span", { class: "angle" }, said));
    tile.addEventListener("click", (event) => {
      const box = tile.getBoundingClientRect();
      this.put(event.detail > 0 && event.clientX < box.left + box.width / 2 ? number : number + 1);
      this.target.focus({ preventScroll: true });
    });
    tile.style.order = String(2 * number + 1);
    return tile;
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
    if (!inside) this.put(this.first + nearest + (x < boxes[nearest].left + boxes[nearest].width / 2 ? 0 : 1));
  }

  /** Let the galaxy go; dropped at an end of the nine, it brings the next. */
  drop() {
    if (!this.dragging) return;
    this.dragging = false;
    this.put(this.place);
  }
}
