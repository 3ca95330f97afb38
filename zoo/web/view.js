// How pictures are shown: inverted, in one band, brighter, larger, turned. It changes nothing but the view.

export const BANDS = ["colour", "red", "green", "blue"];
const START = { invert: false, band: 0, brightness: 1, zoom: 1, angle: 0 };

/** The view of one galaxy; it is applied to the elements by CSS. Only the galaxy itself turns and grows. */
export class View {
  constructor(root) {
    this.root = root;
    this.reset();
  }

  reset() {
    Object.assign(this, START);
    this.show();
  }

  change(name, by) {
    if (name === "invert") this.invert = !this.invert;
    if (name === "band") this.band = (this.band + 1) % BANDS.length;
    if (name === "brightness") this.brightness = Math.min(8, Math.max(0.25, this.brightness * by));
    if (name === "zoom") this.zoom = Math.min(6, Math.max(0.5, this.zoom * by));
    if (name === "angle") this.angle = (this.angle + by + 360) % 360;
    this.show();
  }

  show() {
    const { style, dataset } = this.root;
    const band = this.band === 0 ? "" : `url(#band-${BANDS[this.band]}) `;
    style.setProperty("--filter", `${band}brightness(${this.brightness})${this.invert ? " invert(1)" : ""}`);
    style.setProperty("--turn", `scale(${this.zoom}) rotate(${this.angle}deg)`);
    dataset.band = BANDS[this.band];
  }
}
