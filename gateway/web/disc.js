// A disc tilted by an inclination, drawn as a line drawing: rings, two arms, the axis it turns about.

import { s } from "./dom.js";

const RADIUS = 40;
const AXIS = 46;
const RINGS = [1, 0.62];
const WINDING = 0.3;

/** Points of a logarithmic arm in the plane of the disc, seen at an inclination with this cosine. */
function arm(start, cosine) {
  const points = [];
  for (let turn = 0; turn <= 1; turn += 0.02) {
    const radius = 0.2 * RADIUS * Math.exp(WINDING * turn * 5.2);
    const angle = start + turn * 5.2;
    if (radius > RADIUS * 0.96) break;
    points.push(`${(radius * Math.cos(angle)).toFixed(2)},${(radius * Math.sin(angle) * cosine).toFixed(2)}`);
  }
  return points.join(" ");
}

/** The drawing. `label` is what a screen reader says; without one the drawing is decoration. */
export function disc(inclination, label = null) {
  const radians = (inclination * Math.PI) / 180;
  const cosine = Math.max(Math.cos(radians), 0.03);
  const tip = -AXIS * Math.sin(radians);
  const rim = -RADIUS * 0.12 * cosine;
  const accessible = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return s(
    "svg",
    { viewBox: "-50 -50 100 100", class: "disc", ...accessible },
    s("line", { x1: 0, y1: 0, x2: 0, y2: -tip, class: "axis far" }),
    RINGS.map((part) => s("ellipse", { rx: RADIUS * part, ry: RADIUS * part * cosine, class: part === 1 ? "rim" : "ring" })),
    [0, Math.PI].map((start) => s("polyline", { points: arm(start, cosine), class: "arm" })),
    s("line", { x1: 0, y1: rim, x2: 0, y2: tip, class: "axis" }),
    s("ellipse", { rx: RADIUS * 0.15, ry: RADIUS * Math.max(0.15 * cosine, 0.085), class: "bulge" }),
  );
}
