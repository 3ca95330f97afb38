// Geometry over a picture, in its square frame: the longer side is 1, the origin the upper left, y points down.
// A view is {turn: degrees counter-clockwise, zoom}, about the middle.

import { s } from "./dom.js";

const BARS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];
const LONGEST_BAR = 0.3;
const BEYOND = 1.12;

export const UPRIGHT = Object.freeze({ turn: 0, zoom: 1 });

/** The fitted ellipse of an answer in the square frame, or null when none was fitted. */
export function ellipseOf({ ellipticity, image }) {
  if (!ellipticity) return null;
  const { x, y, semi_major, semi_minor, angle_deg } = ellipticity.ellipse;
  const side = Math.max(image.width, image.height);
  return {
    x: 0.5 + ((x - 0.5) * image.width) / side,
    y: 0.5 + ((y - 0.5) * image.height) / side,
    a: semi_major,
    b: semi_minor,
    angle: angle_deg,
  };
}

/** The ellipse and its major axis as a group, drawn in one view and shown in another. */
export function ellipseGroup(ellipse, drawn, shown) {
  const inner = `translate(${ellipse.x} ${ellipse.y}) rotate(${-ellipse.angle})`;
  const outer = `translate(.5 .5) rotate(${drawn.turn - shown.turn}) scale(${shown.zoom / drawn.zoom}) translate(-.5 -.5)`;
  const shapes = (name) => [
    s("ellipse", { rx: ellipse.a, ry: ellipse.b, class: name }),
    s("line", { x1: -ellipse.a * BEYOND, x2: ellipse.a * BEYOND, y1: 0, y2: 0, class: `${name} major` }),
  ];
  return s("g", { transform: outer }, s("g", { transform: inner }, shapes("casing"), shapes("stroke")));
}

/** The same on a canvas whose side is `side` pixels, in the view in which it was fitted. */
export function strokeEllipse(context, ellipse, side) {
  context.save();
  context.scale(side, side);
  context.translate(ellipse.x, ellipse.y);
  context.rotate((-ellipse.angle * Math.PI) / 180);
  for (const [style, width] of [["rgb(0 0 0 / 55%)", 5], ["#ffcf7d", 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width / side;
    context.setLineDash([]);
    context.beginPath();
    context.ellipse(0, 0, ellipse.a, ellipse.b, 0, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([6 / side, 5 / side]);
    context.beginPath();
    context.moveTo(-ellipse.a * BEYOND, 0);
    context.lineTo(ellipse.a * BEYOND, 0);
    context.stroke();
  }
  context.restore();
}

/** A frame on such a canvas. */
export function strokeSquare(context, { x, y, side: part }, side) {
  for (const [style, width] of [["rgb(0 0 0 / 55%)", 5], ["#fff", 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect((x - part / 2) * side, (y - part / 2) * side, part * side, part * side);
  }
}

/** A round length for a scale bar: {part of the frame, text}, or null when the field is unknown. */
export function scaleBar(fovArcmin, zoom) {
  if (!fovArcmin) return null;
  const frame = fovArcmin / zoom;
  const length = BARS.filter((bar) => bar <= frame * LONGEST_BAR).at(-1);
  if (!length) return null;
  return { part: length / frame, text: length < 1 ? `${Math.round(length * 60)}″` : `${length}′` };
}

/** Where north and east are: `north` in degrees counter-clockwise from the right; east is a quarter turn further. */
export function compass(north) {
  const middle = { x: 0.09, y: 0.91 };
  const arrow = (name, angle) => {
    const radians = (angle * Math.PI) / 180;
    const at = (length) => ({ x: middle.x + length * Math.cos(radians), y: middle.y - length * Math.sin(radians) });
    const [tip, letter] = [at(0.045), at(0.066)];
    return [
      s("line", { x1: middle.x, y1: middle.y, x2: tip.x, y2: tip.y }),
      s("text", { x: letter.x, y: letter.y, "text-anchor": "middle", "dominant-baseline": "central" }, name),
    ];
  };
  return s("g", { class: "compass" }, arrow("N", north), arrow("E", north + 90));
}
