// The frame of a picture that was measured: drawn over it, dragged, sized, moved by keys.
// It is {x, y, side} in the picture's square (overlay.js), or null for the whole picture.

import { h } from "./dom.js";

const STEP = 0.01;
const LARGE_STEP = 0.05;
const GROWTH = 1.08;
const SMALLEST_PIXELS = 16;
const LONGEST = 2;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIZES = { "+": GROWTH, "=": GROWTH, "-": 1 / GROWTH, "\u2212": 1 / GROWTH };

/** The frame of an answer, or null when the whole picture was measured. */
export function regionOf({ frame, width, height }) {
  if (!frame || frame.chosen_by === "whole") return null;
  const longer = Math.max(width, height);
  return { x: 0.5 + (frame.x - width / 2) / longer, y: 0.5 + (frame.y - height / 2) / longer, side: frame.side / longer };
}

/** What asks for a frame: the query keys of the API, in pixels of an image of this size. */
export function queryOf(region, { width, height }) {
  if (!region) return { frame: "whole" };
  const longer = Math.max(width, height);
  const within = (value, size) => Math.min(size, Math.max(0, size / 2 + (value - 0.5) * longer)).toFixed(1);
  return { x: within(region.x, width), y: within(region.y, height), side: (region.side * longer).toFixed(1) };
}

/** Where a frame is seen in a view: the same square, its centre turned and zoomed with the picture. */
export function seenIn(region, { turn, zoom }) {
  const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const [right, down] = [region.x - 0.5, region.y - 0.5];
  return { x: 0.5 + zoom * (cos * right + sin * down), y: 0.5 + zoom * (cos * down - sin * right), side: zoom * region.side };
}

/** An ellipse that was fitted in a frame alone, in the view around it. */
export const outOf = (ellipse, { x, y, side }) =>
  ellipse && { ...ellipse, x: x + (ellipse.x - 0.5) * side, y: y + (ellipse.y - 0.5) * side, a: ellipse.a * side, b: ellipse.b * side };

export class Region {
  #view = null;
  #image = { width: 1, height: 1 };

  /** `moved` is called while the frame moves, `settled` when it was let go. */
  constructor({ moved, settled }) {
    this.value = null;
    this.moved = moved;
    this.settled = settled;
    this.handle = h("i", { class: "region-handle" });
    this.element = h("button", {
      type: "button", class: "region", hidden: true, "aria-label": "The measured frame",
      "aria-description": "Arrow keys move it, with Shift further; plus and minus change its size.",
      title: "Drag, or use the arrow keys; + and − change the size",
    }, this.handle);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.#drag();
  }

  /** Draw a frame of an image of this size, in a view. */
  show(value, view, image) {
    this.value = value;
    this.#view = view;
    this.#image = image;
    this.element.hidden = !value;
    if (!value) return;
    const { x, y, side } = seenIn(value, view);
    const percent = (part) => `${100 * part}%`;
    Object.assign(this.element.style, { left: percent(x - side / 2), top: percent(y - side / 2), width: percent(side), height: percent(side) });
  }

  #change({ right = 0, down = 0, growth = 1 }) {
    const { width, height } = this.#image;
    const longer = Math.max(width, height);
    const { turn, zoom } = this.#view;
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    const within = (value, size) => Math.min(0.5 + size / 2 / longer, Math.max(0.5 - size / 2 / longer, value));
    const side = Math.min(LONGEST, Math.max(SMALLEST_PIXELS / longer, this.value.side * growth));
    const x = within(this.value.x + (cos * right - sin * down) / zoom, width);
    const y = within(this.value.y + (sin * right + cos * down) / zoom, height);
    this.show({ x, y, side }, this.#view, this.#image);
    this.moved();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    if (MOVES[event.key]) this.#change({ right: step * MOVES[event.key][0], down: step * MOVES[event.key][1] });
    else if (SIZES[event.key]) this.#change({ growth: SIZES[event.key] });
    else return;
    event.preventDefault();
    this.settled();
  }

  #drag() {
    let last = null;
    let sizing = false;
    let changed = false;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      last = event;
      sizing = event.target === this.handle;
      changed = false;
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (last === null) return;
      const shown = this.element.parentElement.getBoundingClientRect().width;
      const [right, down] = [(event.clientX - last.clientX) / shown, (event.clientY - last.clientY) / shown];
      // the corner follows the pointer, the centre stays
      if (sizing) this.#change({ growth: 1 + (right + down) / (this.value.side * this.#view.zoom) });
      else this.#change({ right, down });
      last = event;
      changed = true;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(end, () => {
        if (last !== null && changed) this.settled();
        last = null;
      });
    }
  }
}
