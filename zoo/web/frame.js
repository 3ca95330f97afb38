// What all pages of the zoo share: the head with its links, and failures as sentences.

import { h, one } from "../web/dom.js";
import { project } from "./client.js";

const PAGES = [["./", "Projects"], ["measure", "Measure"], ["results", "Results"], ["me", "You"], ["moderation", "Moderation"]];

/** Build the head of a page; `here` is its address. */
export function frame(here) {
  const links = PAGES.filter(([address]) => project || address === "./").map(([address, text]) =>
    h("a", {
      href: address === "./" ? "./" : `${address}?project=${encodeURIComponent(project)}`,
      "aria-current": address === here ? "page" : null,
    }, text));
  document.body.prepend(
    h("a", { class: "skip", href: "#main" }, "Skip to the page"),
    h("header", { class: "top" },
      h("a", { class: "brand", href: "./" }, h("img", { src: "web/icon.svg", alt: "", width: 32, height: 32 }), h("span", {}, "inclinet zoo")),
      h("nav", { "aria-label": "Pages" }, ...links)));
}

/** Show a failure in place of what could not be shown. */
export function fail(error) {
  one("#failure").replaceChildren(h("p", {}, error.message));
  one("#failure").hidden = false;
  throw error;
}

/** Degrees, to a tenth; a dash where there are none. */
export const deg = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(1)}°`);

/** A table of rows of cells, named for those who can't see it. */
export const table = (caption, head, rows) =>
  h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell)))))));
