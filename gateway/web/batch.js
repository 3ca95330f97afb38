// Many galaxies: which of the files is the table, how it is sent, and the results as they come.

import { Problem, stream } from "./api.js";
import { csv } from "./rows.js";
import { splitPosition } from "./question.js";

const TABLES = /\.(csv|tsv|txt|vot|votable|xml|parquet|pq)$/i;
const FITS = /\.(fits|fit|fts)$/i;
const CARD = 80;
const BLOCK = 2880;

/** Whether a file is a table. FITS is one when its primary HDU holds no image, as its first cards say. */
export async function isTable(file) {
  if (!FITS.test(file.name)) return TABLES.test(file.name);
  const header = await file.slice(0, BLOCK).text();
  for (let at = 0; at < header.length; at += CARD) {
    const axes = header.slice(at, at + CARD).match(/^NAXIS\s*=\s*(\d+)/);
    if (axes) return Number(axes[1]) === 0;
  }
  return false;
}

/** A table of targets from lines that people type: names, PGC numbers, positions. */
export function tableOfLines(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const rows = lines.map((line) => {
    if (/^\d+$/.test(line)) return { pgc: line };
    const position = /^[\d\s:.,;hmsd°'"′″+\u2212-]+$/.test(line) ? splitPosition(line) : null;
    return position ? { ra: position[0], dec: position[1] } : { name: line };
  });
  const used = ["name", "pgc", "ra", "dec"].filter((name) => rows.some((row) => name in row));
  return new File([csv(used, rows)], "lines.csv", { type: "text/csv" });
}

/** Send a table and pictures; `started(total)` is told the number of rows, null when the service does not say. Yields rows. */
export async function* batch({ table, pictures }, { signal, started }) {
  const form = new FormData();
  if (table) form.append("table", table, table.name);
  for (const picture of pictures) form.append("file", picture, picture.name);
  const response = await stream("api/batch?include=model_input", form, signal);
  const total = Number.parseInt(response.headers.get("x-inclinet-rows") ?? "", 10);
  started(Number.isNaN(total) ? null : total);
  yield* lines(response.body.pipeThrough(new TextDecoderStream()).getReader());
}

async function* lines(reader) {
  let rest = "";
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const whole = (rest + part.value).split("\n");
      rest = whole.pop();
      for (const line of whole) if (line.trim()) yield JSON.parse(line);
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ type: "page:unreachable", title: "The connection broke off", detail: "The results stopped coming before the end." });
  }
  if (rest.trim()) yield JSON.parse(rest);
}

/** How fast rows come, over the last seconds, and what is left: {rate, left}; null where that can't be said yet. */
export class Pace {
  #stamps = [];
  #span;

  constructor(spanMs = 15_000) {
    this.#span = spanMs;
    this.#stamps.push(performance.now());
  }

  tick() {
    this.#stamps.push(performance.now());
    const oldest = this.#stamps.at(-1) - this.#span;
    while (this.#stamps.length > 20 && this.#stamps[0] < oldest) this.#stamps.shift();
  }

  read(done, total) {
    const seconds = (this.#stamps.at(-1) - this.#stamps[0]) / 1000;
    if (this.#stamps.length < 2 || seconds <= 0) return { rate: null, left: null };
    const rate = (this.#stamps.length - 1) / seconds;
    return { rate, left: total === null ? null : (total - done) / rate };
  }
}
