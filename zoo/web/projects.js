// The list of projects.

import { h, one } from "../web/dom.js";
import { asked } from "./client.js";
import { fail, frame } from "./frame.js";

frame("./");
const projects = await asked("api/projects").catch(fail);
const link = (page, slug, text, attributes = {}) => h("a", { href: `${page}?project=${encodeURIComponent(slug)}`, ...attributes }, text);
one("#page").append(
  h("p", {}, "How much is the disc of a galaxy tilted? Computers learn it from what people see. Pick a project and help."),
  ...projects.map((one) => h("section", { class: "card project" },
    h("h2", {}, one.title),
    one.description && h("p", {}, one.description),
    h("progress", { max: Math.max(1, one.targets), value: one.done, "aria-label": `${one.done} of ${one.targets} galaxies are done` }),
    h("p", { class: "muted" }, `${one.done} of ${one.targets} galaxies done, ${one.measurements} measurements by ${one.people} people`),
    h("p", { class: "choices" }, link("measure", one.slug, "Measure", { class: "button" }), link("results", one.slug, "Results"), link("me", one.slug, "You")))),
  h("p", {}, projects.length === 0 ? "There is no project yet. " : "", "Moderators make projects ", h("a", { href: "moderation" }, "here"), "."));
