// What came out: the median with its interval, the drawing, the warnings, rejection and ellipticity.

import { disc } from "./disc.js";
import { h } from "./dom.js";
import { degrees, interval, likelihood, number } from "./format.js";

const FAR_DEG = 15;

/** The headline: the median and its 68 % interval, large, beside the tilted disc. */
export function headline(answer, title, range) {
  const { median_deg: median, interval68_deg: narrow, interval95_deg: wide } = answer.inclination;
  return h("section", { class: "card headline", "aria-labelledby": "answer-title" },
    h("div", {},
      h("h2", { id: "answer-title", tabindex: "-1" }, title),
      h("p", { class: "median" }, h("span", { class: "unseen" }, "Inclination "), degrees(median)),
      h("p", { class: "interval" }, h("strong", {}, interval(narrow)), " ", h("abbr", { title: "Calibrated: holds the human value of 68 % of galaxies" }, "68 % interval")),
      h("p", { class: "fine" }, `95 %: ${interval(wide)}. ${answer.flavors.length} networks, standard deviation ${degrees(answer.inclination.stdev_deg)}.`)),
    disc(median, `A disc tilted by ${degrees(median, 0)}`),
    warnings(answer.warnings),
    median <= range[0] + 0.05 ? h("p", { class: "fine" }, `The networks say nothing below ${degrees(range[0], 0)}.`) : null);
}

function warnings(said) {
  if (!said.length) return h("p", { class: "clear" }, "Nothing to warn about.");
  return h("ul", { class: "warnings", "aria-label": "Warnings" }, said.map((text) => h("li", {}, text)));
}

/** Rejection and ellipticity, side by side. */
export function checks(answer) {
  return h("div", { class: "checks" }, rejection(answer.rejection), ellipticity(answer));
}

function rejection({ median, rejectors }) {
  const word = likelihood(median);
  return h("section", { class: "card check-card", "aria-labelledby": "rejection-title" },
    h("h3", { id: "rejection-title" }, "Would a person reject this image?"),
    h("p", { class: "word" }, word[0].toUpperCase() + word.slice(1), median === null ? null : h("span", { class: "figure" }, number(median, 2))),
    median === null ? null : h("meter", { min: 0, max: 1, low: 0.3, high: 0.5, optimum: 0, value: median, "aria-label": "Likelihood of rejection" }),
    h("p", { class: "fine" }, rejectors.length
      ? `Too face-on, disturbed, not a spiral, a poor image. ${rejectors.map((one) => `${one.name.replace("_reject", "")} ${number(one.rejection, 2)}`).join(", ")}.`
      : "No rejector answered."));
}

function ellipticity({ ellipticity: fit, inclination }) {
  const title = h("h3", { id: "ellipticity-title" }, "From the axis ratio alone");
  const card = (...body) => h("section", { class: "card check-card", "aria-labelledby": "ellipticity-title" }, title, ...body);
  if (!fit) return card(h("p", { class: "word" }, "No ellipse"), h("p", { class: "fine" }, "No isophote could be fitted to this image."));
  const apart = fit.inclination_deg - inclination.median_deg;
  const size = Math.abs(apart);
  const relation = size < 0.5 ? "The networks agree." : `${degrees(size, 0)} ${apart > 0 ? "above" : "below"} the networks.`;
  return card(
    h("p", { class: "word" }, degrees(fit.inclination_deg), size > FAR_DEG ? h("span", { class: "flag" }, "disagrees") : null),
    h("p", {}, relation, size > FAR_DEG ? " Look at the ellipse on the picture: does it follow the disc?" : ""),
    h("p", { class: "fine" }, `cos² i = (q² − r²) / (1 − r²) with the ellipse’s axis ratio q = ${number(fit.axis_ratio, 3)} and the thickness r = ${fit.r}`));
}
