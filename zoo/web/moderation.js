// For moderators: projects, galaxies that people can't settle, measurements far off, people who fail standards. Nothing is ever deleted.

import { announce, button, h, one } from "../web/dom.js";
import { hasKey, useKey } from "../web/key.js";
import { ask, asked, me, ofProject, project } from "./client.js";
import { deg, fail, frame, table } from "./frame.js";

frame("moderation");
const page = one("#page");
const field = (text, attributes) => h("label", { class: "field" }, h("span", {}, text), h("input", attributes));

function form(title, fields, go, act) {
  const told = h("p", { role: "alert", class: "note" });
  return h("form", { class: "card project", onsubmit: async (event) => {
    event.preventDefault();
    told.textContent = await act(new FormData(event.target)).catch((error) => error.message);
  } }, h("h2", {}, title), h("div", { class: "fields" }, ...fields), told, h("button", { type: "submit", class: "primary" }, go));
}

const keyForm = () => form("The key of a moderator", [field("Key", { name: "key", type: "password", autocomplete: "off", required: true })], "Use this key", async (data) => {
  useKey(data.get("key"));
  await show();
  return "";
});

const newProject = () => form("A new project", [
  field("Name", { name: "title", required: true, maxlength: 120 }),
  field("Short name, in addresses", { name: "slug", required: true, pattern: "[a-z0-9][a-z0-9\\-]*", maxlength: 40 }),
  field("What it is for", { name: "description" }),
  field("From, degrees", { name: "lowest_deg", type: "number", value: 0, min: 0, max: 80 }),
  field("To, degrees", { name: "highest_deg", type: "number", value: 90, min: 10, max: 90 }),
], "Make it", async (data) => {
  const sent = Object.fromEntries(data);
  await ask("api/projects", { method: "POST", json: { ...sent, lowest_deg: Number(sent.lowest_deg), highest_deg: Number(sent.highest_deg) } });
  location.search = `?project=${encodeURIComponent(sent.slug)}`;
  return "";
});

const upload = (title, what, path) => form(title, [field(`A table: CSV, VOTable or FITS, of ${what}`, { name: "table", type: "file", required: true })], "Add them", async (data) => {
  const found = await asked(path, { method: "POST", body: data });
  return [`${found.taken} galaxies were added, ${found.known} were known, ${found.left_out} can’t be used.`, ...found.reasons].join(" ");
});

function standard(row) {
  const choice = button(row.shown ? "Withdraw" : "Show again", () => decide(`api/standards/${row.id}`, { shown: !row.shown }, `${row.name} is ${row.shown ? "withdrawn" : "shown again"}.`), { class: "small" });
  return [row.name, `${deg(row.truth_deg)} ± ${deg(row.stdev_deg)}`, row.shown ? "shown" : "withdrawn", choice];
}

async function decide(path, json, text) {
  await ask(path, { method: "POST", json }).catch(fail);
  announce(text);
  await show();
}

async function download(kind, format) {
  const response = await ask(ofProject(`/export?table=${kind}&format=${format}`)).catch(fail);
  const link = h("a", { href: URL.createObjectURL(await response.blob()), download: `${project}-${kind}.${format === "csv" ? "csv" : "xml"}` });
  link.click();
  URL.revokeObjectURL(link.href);
}

function galaxy(row) {
  const path = ofProject(`/targets/${row.target}`);
  const choice = row.closed
    ? button("Ask again", () => decide(path, { closed: "" }, `${row.name} is asked again.`), { class: "small" })
    : [button("Done", () => decide(path, { closed: "done" }, `${row.name} is done.`), { class: "small" }), " ", button("Exclude", () => decide(path, { closed: "excluded" }, `${row.name} is excluded.`), { class: "small" })];
  return [row.name, row.why, String(row.people), row.inclination_deg === null ? "–" : `${deg(row.inclination_deg)} ± ${deg(row.error_deg)}`, deg(row.network_deg), row.closed || "open", h("span", {}, choice)];
}

const called = (number, name) => name || `person ${number}`;

const outlier = (row) => [row.name, called(row.person, row.person_name), deg(row.inclination_deg), deg(row.label_deg), deg(row.residual_deg), row.scales.toFixed(1)];

function person(row) {
  const name = called(row.person, row.name);
  const path = `api/people/${row.person}/quarantine`;
  const choice = row.quarantined
    ? button("Count again", () => decide(path, { quarantined: false }, `${name} counts again.`), { class: "small" })
    : button("Set aside", () => decide(path, { quarantined: true, reason: "by a moderator" }, `${name} is set aside.`), { class: "small danger" });
  return [name, String(row.measured), `${row.standards} (${row.failed} failed)`, deg(row.bias_deg), row.scatter === null ? "–" : row.scatter.toFixed(2), row.quarantined ? "set aside" : row.counted ? "counted" : "not yet", choice];
}

async function show() {
  const who = await me().catch(fail);
  if (!who.moderator) {
    page.replaceChildren(h("p", {}, hasKey() ? "This key is not a moderator’s." : "This page needs the key of a moderator. It stays in this tab."), keyForm());
    return;
  }
  if (!project) {
    page.replaceChildren(newProject());
    return;
  }
  const [found, standards] = await Promise.all([asked(ofProject("/moderation")), asked("api/standards")]).catch(fail);
  page.replaceChildren(
    upload("Add galaxies", "PGC numbers, positions or files", ofProject("/targets")),
    table("Galaxies to look at", ["galaxy", "why", "people", "inclination", "networks", "state", ""], found.galaxies.map(galaxy)),
    found.outliers.length > 0 ? table("Measurements far from their galaxy’s label", ["galaxy", "person", "said", "label", "off by", "in units of the expected scatter"], found.outliers.map(outlier)) : h("p", {}, "No measurement lies far from its galaxy’s label."),
    table("People", ["person", "measurements", "standards", "bias", "scatter", "state", ""], found.people.map(person)),
    h("h2", {}, "Tables to train on"),
    h("p", { class: "choices" }, ...["labels", "measurements"].flatMap((kind) => ["csv", "votable"].map((format) => button(`${kind}, ${format === "csv" ? "CSV" : "VOTable"}`, () => download(kind, format), { class: "small" })))),
    upload("Add real standards", "PGC numbers or files, inclination_deg and stdev_deg", "api/standards"),
    ...(standards.length > 0 ? [table("Real standards, of all projects", ["galaxy", "inclination", "state", ""], standards.map(standard))] : []),
    newProject());
}

await show();
