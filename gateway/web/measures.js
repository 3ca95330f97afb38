// What came out: the median with its interval, the drawing, the warnings, rejection and ellipticity.

import { disc } from "./disc.js";
import { h } from "./dom.js";
import { bound, degrees, intervalOf, likelihood, median, number } from "./format.js";

// the service's own rule (gateway/core/ensemble.py): near face-on the axis ratio of a disc that is a little oval misleads
const FAR_DEG = 15;
const TELLS_FROM_DEG = 30;

/** The headline: the median and its 68 % interval, large, beside the tilted disc. */
export function headline(answer, title) {
  const { inclination } = answer;
  const below = bound(inclination);
  return h("section", { class: "card headline", "aria-labelledby": "answer-title" },
    h("div", {},
      h("h2", { id: "answer-title", tabindex: "-1" }, title),
      h("p", { class: "median" }, h("span", { class: "unseen" }, "Inclination "), median(inclination)),
      h("p", { class: "interval" }, h("strong", {}, intervalOf(inclination, 68)), " ", h("abbr", { title: "Calibrated: holds the inclination of 68 % of galaxies on the human scale" }, "68 % interval")),
      below ? h("p", { class: "interval" }, h("strong", {}, below), " ", h("abbr", { title: "Calibrated: above the inclination of 95 % of galaxies on the human scale" }, "(95 %)")) : null,
      h("p", { class: "fine" }, below ? "" : `95 %: ${intervalOf(inclination, 95)}. `, `${answer.flavors.length} networks, standard deviation ${degrees(inclination.stdev_deg)}.`)),
    disc(inclination.median_deg, `A disc tilted by ${degrees(inclination.median_deg, 0)}`),
    warnings(answer.warnings));
}

function warnings(said) {
  if (!said.length) return h("p", { class: "clear" }, "Nothing to warn about.");
  return h("ul", { class: "warnings", "aria-label": "Warnings" }, said.map((text) => h("li", {}, text)));
}

/** Rejection and ellipticity, side by side. */
export function checks(answer) {
  return h("div", { class: "checks" }, rejection(answer.rejection), ellipticity(answer));
}

const REASONS = {
  face_on: "Too face-on: below 45°",
  unsuitable: "Disturbed, crowded, poor or not a spiral",
};

function rejection({ rejectors, median: value, ...parts }) {
  const word = likelihood(value);
  const reason = ([name, text]) => h("div", {}, h("dt", {}, text), h("dd", {}, h("b", {}, likelihood(parts[name])), ` ${number(parts[name], 2)}`));
  return h("section", { class: "card check-card", "aria-labelledby": "rejection-title" },
    h("h3", { id: "rejection-title" }, "Would a person reject this image?"),
    h("p", { class: "word" }, word[0].toUpperCase() + word.slice(1), value === null ? null : h("span", { class: "figure" }, number(value, 2))),
    value === null ? null : h("meter", { min: 0, max: 1, low: 0.3, high: 0.5, optimum: 0, value, "aria-label": "Likelihood of rejection" }),
    value === null ? null : h("dl", { class: "reasons" }, Object.entries(REASONS).map(reason)),
    h("p", { class: "fine" }, rejectors.length
      ? `People judged for the Tully–Fisher relation. ${rejectors.map((one) => `${one.name.replace("_reject", "")} ${number(one.rejection, 2)}`).join(", ")}.`
      : "No rejector answered."));
}

function ellipticity({ ellipticity: fit, inclination }) {
  const title = h("h3", { id: "ellipticity-title" }, "From the axis ratio alone");
  const card = (...body) => h("section", { class: "card check-card", "aria-labelledby": "ellipticity-title" }, title, ...body);
  if (!fit) return card(h("p", { class: "word" }, "No ellipse"), h("p", { class: "fine" }, "No isophote could be fitted to this image."));
  const apart = fit.inclination_deg - inclination.median_deg;
  const size = Math.abs(apart);
  const far = size > FAR_DEG && Math.max(fit.inclination_deg, inclination.median_deg) > TELLS_FROM_DEG;
  const relation = size < 0.5 ? "The networks agree." : `${degrees(size, 0)} ${apart > 0 ? "above" : "below"} the networks.`;
  return card(
    h("p", { class: "word" }, degrees(fit.inclination_deg), far ? h("span", { class: "flag" }, "disagrees") : null),
    h("p", {}, relation, far ? " Look at the ellipse on the picture: does it follow the disc?" : ""),
    h("p", { class: "fine" }, `cos² i = (q² − r²) / (1 − r²) with the ellipse’s axis ratio q = ${number(fit.axis_ratio, 3)} and the thickness r = ${fit.r}`));
}
