// What every flavor said: one row an architecture, one dot a flavor, the median and its intervals behind them.

import { h, s } from "./dom.js";
import { degrees, median as written, number, within } from "./format.js";

const LEFT = 92;
const RIGHT = 16;
const TOP = 26;
const ROW = 30;
const WIDE = 560;
const NARROW = 340;
const STEP = 5;
const EDGE_ON = 90;

/** Flavors by architecture, in the order in which they come. */
export function byArchitecture(flavors) {
  const groups = new Map();
  for (const flavor of flavors) {
    const architecture = flavor.name.replace(/_m\d+$/, "");
    groups.set(architecture, [...(groups.get(architecture) ?? []), flavor]);
  }
  return groups;
}

/** The plot from face-on to edge-on with, below it, the same numbers as a table. */
export function dotplot({ flavors, inclination }) {
  const groups = [...byArchitecture(flavors)];
  // on a phone the same picture, but not its letters, must shrink
  const width = matchMedia("(max-width: 40rem)").matches ? NARROW : WIDE;
  const height = TOP + groups.length * ROW + 30;
  const x = (value) => LEFT + (value / EDGE_ON) * (width - LEFT - RIGHT);
  const floor = height - 26;
  const band = ({ low: from, high: to }, name) =>
    s("rect", { x: x(from), y: TOP - 8, width: Math.max(x(to) - x(from), 1), height: floor - TOP + 8, class: `band ${name}` });
  const { interval95_deg: both, below95_deg: below } = inclination;
  const wide = Number.isFinite(below) ? { low: both.low, high: below } : both;
  const labelled = width === NARROW ? 30 : 10;
  const ticks = Array.from({ length: EDGE_ON / STEP + 1 }, (_, index) => index * STEP);
  const median = x(inclination.median_deg);
  const summary =
    `${flavors.length} networks from ${degrees(inclination.range_deg.low)} to ${degrees(inclination.range_deg.high)}, ` +
    `median ${written(inclination)}, 68 % interval ${within(inclination)}`;
  const plot = s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "dotplot", role: "img", "aria-label": summary },
    band(wide, "wide"),
    band(inclination.interval68_deg, "narrow"),
    ticks.map((tick) => [
      s("line", { x1: x(tick), x2: x(tick), y1: floor, y2: floor + 4, class: "tick" }),
      tick % labelled === 0
        ? s("text", { x: x(tick), y: floor + 18, "text-anchor": "middle", class: "scale" }, `${number(tick, 0)}°`)
        : null,
    ]),
    s("line", { x1: LEFT, x2: width - RIGHT, y1: floor, y2: floor, class: "tick" }),
    groups.map(([architecture, members], index) => {
      const y = TOP + (index + 0.5) * ROW;
      return [
        s("line", { x1: LEFT, x2: width - RIGHT, y1: y, y2: y, class: "row" }),
        s("text", { x: LEFT - 12, y: y + 4, "text-anchor": "end", class: "row-name" }, architecture),
        members.map((flavor) => s("circle", { cx: x(flavor.inclination_deg), cy: y, r: 4.5, class: "dot" },
          s("title", {}, `${flavor.name}, version ${flavor.version}: ${degrees(flavor.inclination_deg)}`))),
      ];
    }),
    s("line", { x1: median, x2: median, y1: TOP - 8, y2: floor, class: "median-line" }),
    s("text", { x: Math.min(Math.max(median, LEFT + 16), width - RIGHT - 16), y: TOP - 13, "text-anchor": "middle", class: "median-name" },
      written(inclination)),
  );
  return h("figure", { class: "plot" }, plot,
    h("figcaption", {}, "A dot is one network’s word. Line: median. Dark band: 68 % interval; light band: 95 %."),
    h("details", {}, h("summary", {}, "The numbers of the plot"), table(flavors)));
}

const table = (flavors) =>
  h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, ["Network", "Version", "Inclination"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, flavors.map((flavor) =>
      h("tr", {}, h("th", { scope: "row" }, flavor.name), h("td", {}, String(flavor.version)), h("td", {}, degrees(flavor.inclination_deg, 2))))));
