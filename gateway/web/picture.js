// The picture that was measured: turned and zoomed about its middle, filled with its own background.

import { canvas, skyTile } from "./background.js";
import { button, h, s } from "./dom.js";
import { number } from "./format.js";
import { Region, outOf, regionOf, seenIn } from "./region.js";
import { UPRIGHT, compass, ellipseGroup, ellipseOf, scaleBar, strokeEllipse, strokeSquare } from "./overlay.js";

const SIDE = 768;
const SENT_SIDE = 512;
const THUMBNAIL = 56;
const POSTER_CAPTION = 96;
const SETTLE_MS = 250;
// as far as a frame may run over the picture, in its sides
const BEYOND = 2;
const CENTRAL = Object.freeze({ x: 0.5, y: 0.5, side: 0.5 });

const blobOf = (drawn) => new Promise((resolve) => drawn.toBlob(resolve, "image/png"));

export class Picture {
  #image = null;
  #sky = null;
  #ellipse = null;
  #drawnIn = UPRIGHT;
  #fov = null;
  #north = null;
  #timer = 0;
  #first = null;
  #facts = null;
  #canvas = canvas(SIDE, SIDE);
  #overlay = s("svg", { viewBox: "0 0 1 1", class: "overlay", "aria-hidden": "true" });
  #bar = h("div", { class: "scale-bar", hidden: true }, h("span"), h("i"));

  /** `release` is called when the person has let go of a control in a view that was not measured yet. */
  constructor(release) {
    this.release = release;
    this.view = UPRIGHT;
    this.region = new Region({ moved: () => this.#decorate(), settled: () => this.#settle() });
    this.frame = h("div", { class: "frame" }, this.#canvas, this.#overlay, this.#bar, this.region.element);
    this.#canvas.setAttribute("role", "img");
    this.turn = slider("Rotate", { min: -180, max: 180, step: 1 }, (value) => `${number(value, 0)}°`);
    this.zoom = slider("Zoom", { min: -1, max: 2, step: 0.05 }, (value) => `× ${(2 ** value).toFixed(2)}`);
    const shown = h("input", { type: "checkbox", checked: true, onchange: (event) => this.#overlay.toggleAttribute("hidden", !event.target.checked) });
    this.whole = h("input", { type: "checkbox", onchange: () => this.#frame(this.whole.checked ? null : (this.#first ?? CENTRAL)) });
    this.wholeLabel = h("label", { class: "check", hidden: true }, this.whole, "Whole picture");
    this.controls = h("div", { class: "controls" }, this.turn.element, this.zoom.element,
      h("div", { class: "control-row" },
        h("label", { class: "check" }, shown, "Ellipse, major axis"),
        this.wholeLabel,
        (this.level = button("Level the axis", () => this.#set({ turn: this.#levelTurn(), zoom: this.view.zoom }), { class: "small" })),
        (this.reset = button("Reset", () => this.#restore(), { class: "small" }))));
    for (const { input } of [this.turn, this.zoom]) input.addEventListener("input", () => this.#moved());
    for (const { input } of [this.turn, this.zoom]) input.addEventListener("change", () => this.#settle());
    this.#drag();
  }

  /** Whether the picture is turned or zoomed. */
  get moved() {
    return this.view.turn !== 0 || this.view.zoom !== 1;
  }

  /** Whether another frame is drawn than the one that was measured first. */
  get reframed() {
    return this.#facts !== null && JSON.stringify(this.region.value) !== JSON.stringify(this.#first);
  }

  /** Let the frame of an upload be seen, moved and switched off; `facts` is the answer's image. */
  framed(facts) {
    this.#facts = facts;
    this.#first = regionOf(facts);
    this.wholeLabel.hidden = false;
    this.region.value = this.#first;
    this.whole.checked = !this.#first;
  }

  /**
   * Show the image at an address (a blob or data URL). `fov` is its width in arcmin, `north` where north is, degrees
   * counter-clockwise from the right; null where unknown. Throws where this browser can't decode it.
   */
  async load(address, description, { fov = null, north = null } = {}) {
    const image = new Image();
    image.src = address;
    await image.decode();
    this.#image = image;
    this.#fov = fov;
    this.#north = north;
    this.#sky = skyTile(image);
    this.#canvas.setAttribute("aria-label", description);
    this.#draw();
  }

  /** Show what was fitted to the picture in the present view. */
  measured(answer) {
    const inFrame = this.moved && this.region.value;
    this.#ellipse = inFrame ? outOf(ellipseOf(answer), seenIn(this.region.value, this.view)) : ellipseOf(answer);
    this.#drawnIn = this.view;
    this.level.disabled = !this.#ellipse;
    this.#decorate();
  }

  /** The present view as a PNG, the way it is sent to be measured: of a view with a frame, what is in the frame. */
  async snapshot() {
    const drawn = canvas(SENT_SIDE, SENT_SIDE);
    const context = drawn.getContext("2d");
    if (this.moved && this.region.value) {
      const { x, y, side } = seenIn(this.region.value, this.view);
      const size = SENT_SIDE / side;
      context.translate(SENT_SIDE / 2 - x * size, SENT_SIDE / 2 - y * size);
      this.#paint(context, size, this.view, BEYOND);
    } else this.#paint(context, SENT_SIDE);
    return blobOf(drawn);
  }

  /** A small JPEG as a data URL. */
  thumbnail() {
    const drawn = canvas(THUMBNAIL, THUMBNAIL);
    this.#paint(drawn.getContext("2d"), THUMBNAIL, UPRIGHT);
    return drawn.toDataURL("image/jpeg", 0.75);
  }

  /** The present view with its overlay and a caption of two lines, as a PNG. */
  async poster([title, line]) {
    const drawn = canvas(SIDE, SIDE + POSTER_CAPTION);
    const context = drawn.getContext("2d");
    this.#paint(context, SIDE);
    if (this.#ellipse && !this.#overlay.hasAttribute("hidden")) strokeEllipse(context, this.#ellipse, SIDE);
    if (this.region.value) strokeSquare(context, seenIn(this.region.value, this.view), SIDE);
    context.fillStyle = "#10182b";
    context.fillRect(0, SIDE, SIDE, POSTER_CAPTION);
    const font = (size, weight) => `${weight} ${size}px Inter, system-ui, sans-serif`;
    context.fillStyle = "#fff";
    context.font = font(28, 600);
    context.fillText(title, 24, SIDE + 42, SIDE - 48);
    context.fillStyle = "#b9c6e4";
    context.font = font(18, 400);
    context.fillText(line, 24, SIDE + 72, SIDE - 48);
    const bar = scaleBar(this.#fov, this.view.zoom);
    if (bar) {
      context.fillStyle = "#fff";
      context.fillRect(SIDE - 24 - bar.part * SIDE, SIDE - 26, bar.part * SIDE, 3);
      context.textAlign = "right";
      context.fillText(bar.text, SIDE - 24, SIDE - 34);
    }
    return blobOf(drawn);
  }

  #paint(context, side, { turn, zoom } = this.view, around = 0) {
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    const scale = (side / Math.max(width, height)) * zoom;
    const sky = context.createPattern(this.#sky, "repeat");
    sky.setTransform(new DOMMatrix().scale(scale));
    context.save();
    context.imageSmoothingQuality = "high";
    context.fillStyle = sky;
    context.fillRect(-around * side, -around * side, (1 + 2 * around) * side, (1 + 2 * around) * side);
    context.translate(side / 2, side / 2);
    context.rotate((-turn * Math.PI) / 180);
    context.drawImage(this.#image, (-width * scale) / 2, (-height * scale) / 2, width * scale, height * scale);
    context.restore();
  }

  #draw() {
    this.#paint(this.#canvas.getContext("2d"), SIDE);
    this.#decorate();
  }

  #decorate() {
    const north = this.#north === null ? [] : [compass(this.#north + this.view.turn)];
    this.#overlay.replaceChildren(...(this.#ellipse ? [ellipseGroup(this.#ellipse, this.#drawnIn, this.view)] : []), ...north);
    if (this.#facts) this.region.show(this.region.value, this.view, this.#facts);
    const bar = scaleBar(this.#fov, this.view.zoom);
    this.#bar.hidden = !bar;
    if (bar) {
      this.#bar.firstChild.textContent = bar.text;
      this.#bar.style.width = `${bar.part * 100}%`;
    }
    this.reset.disabled = !this.moved && !this.reframed;
  }

  #levelTurn() {
    const turn = this.#drawnIn.turn - this.#ellipse.angle;
    return Math.round(turn - 180 * Math.round(turn / 180));
  }

  #frame(region) {
    this.region.value = region;
    this.#decorate();
    this.#settle();
  }

  #restore() {
    if (this.#facts) {
      this.region.value = this.#first;
      this.whole.checked = !this.#first;
    }
    this.#set(UPRIGHT);
  }

  #set(view) {
    this.turn.set(view.turn);
    this.zoom.set(Math.log2(view.zoom));
    this.#moved();
    this.#settle();
  }

  #moved() {
    this.view = { turn: Number(this.turn.input.value), zoom: 2 ** Number(this.zoom.input.value) };
    this.#draw();
  }

  // arrow keys let go at every press: wait until the person has settled
  #settle() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.release(), SETTLE_MS);
  }

  #drag() {
    const angle = ({ clientX, clientY }) => {
      const { left, top, width, height } = this.#canvas.getBoundingClientRect();
      return (Math.atan2(top + height / 2 - clientY, clientX - left - width / 2) * 180) / Math.PI;
    };
    // the slider keeps whole degrees: what is dragged is counted beside it
    let last = null;
    let dragged = 0;
    this.#canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button !== 0 || !this.#image) return;
      last = angle(event);
      dragged = this.view.turn;
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      if (last === null) return;
      const now = angle(event);
      dragged += now - last;
      last = now;
      this.turn.set(dragged - 360 * Math.round(dragged / 360));
      this.#moved();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.#canvas.addEventListener(end, () => {
        if (last !== null) this.#settle();
        last = null;
      });
    }
  }
}

function slider(name, range, inWords) {
  const output = h("output");
  const input = h("input", { type: "range", value: 0, ...range });
  const say = () => {
    output.textContent = inWords(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", say);
  say();
  const set = (value) => {
    input.value = value;
    say();
  };
  return { input, set, element: h("label", { class: "slider" }, h("span", {}, name), input, output) };
}
