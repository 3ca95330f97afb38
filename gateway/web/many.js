// The view of many galaxies: choose, watch, sort, export.

import { Problem } from "./api.js";
import { canvas } from "./background.js";
import { Pace, batch, isTable, tableOfLines } from "./batch.js";
import { announce, button, h, one } from "./dom.js";
import { failure } from "./failure.js";
import { bytes, degrees, duration, median, rejected, within } from "./format.js";
import { toSearch } from "./question.js";
import { VOTABLE, columns, csv, download, row, votable } from "./rows.js";
import { Table } from "./table.js";

const REDRAW_MS = 250;
const THUMBNAIL = 44;
const exported = ["row", "key", "ok", "problem", ...columns];
const TEMPLATE = "name,pgc,ra,dec,fov,file\nNGC 5055,,,,,\n,44182,,,,\n,,339.267,34.4156,14,\n,,,,,my_galaxy.png\n";

let running = null;

const linkOf = ({ galaxy }, text) => {
  if (!galaxy) return text;
  const asked = galaxy.pgc
    ? { by: "pgc", pgc: String(galaxy.pgc) }
    : galaxy.name ? { by: "name", name: galaxy.name } : { by: "coordinates", ra: String(galaxy.ra_deg), dec: String(galaxy.dec_deg) };
  return h("a", { href: toSearch(asked), "data-ask": true }, text);
};

const label = (item) => item.answer?.galaxy?.name ?? item.key;
const result = (read) => (item) => (item.answer ? read(item.answer) : null);

const names = [
  { name: "Row", numeric: true, value: (item) => item.row, show: (item) => String(item.row + 1) },
  { name: "Picture", hidden: true, show: ({ thumbnail }) => (thumbnail ? h("img", { src: thumbnail, alt: "", width: THUMBNAIL, height: THUMBNAIL, class: "thumb" }) : null) },
  { name: "Galaxy", value: label, show: (item) => (item.answer ? linkOf(item.answer, label(item)) : label(item)) },
  { name: "Inclination", numeric: true, value: result((answer) => answer.inclination.median_deg), show: (item) => (item.answer ? h("strong", {}, median(item.answer.inclination)) : null) },
  { name: "68 % interval", numeric: true, value: result(({ inclination }) => inclination.interval68_deg.high - inclination.interval68_deg.low), show: result((answer) => within(answer.inclination)) },
  { name: "Rejection", numeric: true, value: result((answer) => answer.rejection.median), show: result((answer) => rejected(answer.rejection)) },
  { name: "Axis ratio says", numeric: true, value: result((answer) => answer.ellipticity?.inclination_deg), show: result((answer) => degrees(answer.ellipticity?.inclination_deg)) },
  { name: "Remarks", value: (item) => item.problem?.title ?? item.answer.warnings.join(" "), show: (item) => remarks(item) },
];

function remarks({ problem, answer }) {
  if (problem) return h("span", { class: "reason" }, h("b", {}, problem.title), ` ${problem.detail}`);
  if (!answer.warnings.length) return null;
  return h("details", {}, h("summary", {}, answer.warnings.length === 1 ? "1 warning" : `${answer.warnings.length} warnings`), answer.warnings.map((text) => h("p", {}, text)));
}

function flat({ row: index, key, answer, problem }) {
  return { row: index, key, ok: !problem, problem: problem ? `${problem.title}: ${problem.detail}` : null, ...(answer ? row(answer) : {}) };
}

async function thumbnail(address) {
  if (!address) return null;
  const image = new Image();
  image.src = address;
  await image.decode();
  const drawn = canvas(THUMBNAIL * 2, THUMBNAIL * 2);
  drawn.getContext("2d").drawImage(image, 0, 0, THUMBNAIL * 2, THUMBNAIL * 2);
  return drawn.toDataURL("image/jpeg", 0.8);
}

class Run {
  #items = [];
  #bad = 0;
  #total = null;
  #controller = new AbortController();
  #pace = new Pace();
  #drawn = 0;
  #bar = h("progress", { "aria-label": "Rows measured" });
  #line = h("p", { class: "counts" }, "Sending…");
  #onlyBad = h("input", { type: "checkbox", onchange: () => this.#draw() });
  #filter = h("label", { class: "check", hidden: true }, this.#onlyBad, "Only rows with a problem");
  #stop = button("Cancel", () => this.cancel());
  #exports = h("div", { class: "bar-end", hidden: true },
    button("Export CSV", () => download(csv(exported, this.#items.map(flat)), "inclinet.csv", "text/csv")),
    button("Export VOTable", async () => download(await votable(exported, this.#items.map(flat)), "inclinet.vot", VOTABLE)),
    button("Export JSON", () => download(JSON.stringify(this.#items.map(({ thumbnail: _seen, ...item }) => item), null, 2), "inclinet.json", "application/json")));
  #end = h("div");
  #table = new Table("Results, row by row", names, { rowClass: (item) => (item.problem ? "bad" : null) });

  constructor(work) {
    this.work = work;
    this.element = h("div", { class: "run" },
      h("div", { class: "card progress" }, h("p", { class: "fine" }, described(work)), this.#bar,
        h("div", { class: "bar" }, this.#line, h("div", { class: "bar-end" }, this.#filter, this.#stop, this.#exports))),
      this.#end, this.#table.element);
    this.#table.element.hidden = true;
  }

  get busy() {
    return !this.#stop.hidden;
  }

  cancel() {
    this.#controller.abort();
  }

  async start() {
    announce(`Measuring ${described(this.work)}`);
    try {
      for await (const { ok: _ok, ...item } of batch(this.work, { signal: this.#controller.signal, started: (total) => this.#begin(total) })) await this.#add(item);
      if (this.#total !== null && this.#items.length < this.#total) throw new Problem({ type: "page:unreachable", title: "The connection broke off", detail: "The results stopped coming before the end." });
      this.#finish("Done");
    } catch (error) {
      this.#finish(error.name === "AbortError" ? "Cancelled" : "Stopped");
      if (error.name === "AbortError") return;
      const problem = error instanceof Problem ? error : new Problem({ title: "The page stumbled", detail: String(error.message ?? error) });
      this.#end.replaceChildren(failure(problem, { retry: () => measureMany(this.work) }));
    }
  }

  #begin(total) {
    this.#total = total;
    if (total !== null) this.#bar.max = Math.max(total, 1);
    if (total !== null) this.#bar.value = 0;
    this.#say();
  }

  async #add(item) {
    if (item.answer) {
      item.thumbnail = await thumbnail(item.answer.image.model_input).catch(() => null);
      delete item.answer.image.model_input;
    } else this.#bad += 1;
    this.#items.push(item);
    this.#pace.tick();
    if (performance.now() - this.#drawn > REDRAW_MS) this.#draw();
  }

  #draw() {
    this.#drawn = performance.now();
    this.#filter.hidden = !this.#bad;
    this.#table.element.hidden = !this.#items.length;
    this.#table.rows = this.#onlyBad.checked ? this.#items.filter((item) => item.problem) : this.#items;
    if (this.#total !== null) this.#bar.value = this.#items.length;
    this.#say();
  }

  #say() {
    const { rate, left } = this.#pace.read(this.#items.length, this.#total);
    const moving = this.busy && rate !== null && this.#items.length;
    this.#line.textContent = [
      this.#total === null ? `${this.#items.length} rows` : `${this.#items.length} of ${this.#total}`,
      this.#bad ? `${this.#bad} with a problem` : null,
      moving ? `${rate.toFixed(1)} a second` : null,
      moving && left !== null && left > 0 ? `about ${duration(left)} left` : null,
    ].filter(Boolean).join(" · ");
  }

  #finish(how) {
    this.#stop.hidden = true;
    this.#draw();
    this.#line.prepend(`${how}: `);
    if (!this.#bar.hasAttribute("value")) this.#bar.hidden = true;
    this.#exports.hidden = !this.#items.length;
    announce(this.#line.textContent);
  }
}

function described({ table, pictures }) {
  const shown = pictures.length === 1 ? pictures[0].name : `${pictures.length} pictures`;
  return [table ? `${table.name}, ${bytes(table.size)}` : null, pictures.length ? shown : null].filter(Boolean).join(" and ");
}

function measureMany(work) {
  running?.cancel();
  running = new Run(work);
  one("#runs").replaceChildren(running.element);
  running.start();
}

/** Measure a table, pictures, or both. */
export async function takeMany(files) {
  const tables = [];
  const pictures = [];
  for (const file of files) ((await isTable(file)) ? tables : pictures).push(file);
  if (tables.length > 1) {
    one("#runs").replaceChildren(failure(new Problem({ type: "page:bad-table", title: "One table at a time", detail: `You gave ${tables.length} tables: ${tables.map((file) => file.name).join(", ")}.` })));
  } else if (files.length) measureMany({ table: tables[0] ?? null, pictures });
}

/** Wire the view. */
export function setUpMany() {
  const files = h("input", { type: "file", multiple: true, accept: ".csv,.tsv,.txt,.vot,.votable,.xml,.parquet,.fits,.fit,image/*" });
  const text = h("textarea", { name: "lines", rows: 5, spellcheck: "false", placeholder: "NGC 5055\nPGC 44182\n13 15 49.3 +42 01 46" });
  files.addEventListener("change", async () => {
    await takeMany([...files.files]);
    files.value = "";
  });
  const form = h("form", { class: "card many-form" },
    h("div", {},
      h("label", { class: "pick" }, files, h("span", { class: "button" }, "Choose a table or pictures"),
        h("span", { class: "hint" }, "or drop them anywhere here")),
      h("p", { class: "fine" }, "A table as CSV, VOTable, FITS or Parquet with a column name, pgc, or ra and dec; or file, which names pictures chosen along with it. Any number of pictures goes without a table."),
      h("p", {}, button("Template (CSV)", () => download(TEMPLATE, "inclinet_template.csv", "text/csv"), { class: "small" }))),
    h("div", {},
      h("label", { class: "field" }, h("span", {}, "Or one galaxy per line"), text),
      h("button", { type: "submit", class: "primary" }, "Measure all")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (text.value.trim()) measureMany({ table: tableOfLines(text.value), pictures: [] });
    else text.focus();
  });
  one("#many").replaceChildren(form, h("div", { id: "runs" }));
  addEventListener("beforeunload", (event) => running?.busy && event.preventDefault());
}
