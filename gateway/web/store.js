// What this browser asked, kept in this browser only.

import { row } from "./rows.js";

const KEY = "inclinet.history.1";
const MOST = 300;

const listeners = new Set();
let entries = read();

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(kept) ? kept.filter((entry) => entry?.row && entry.asked && typeof entry.title === "string") : [];
  } catch {
    return [];
  }
}

function write() {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // full or switched off: this visit's questions stay in memory
  }
  for (const listener of listeners) listener(entries);
}

/** All entries, the latest first: {id, at, title, asked, row, thumbnail}. */
export const remembered = () => entries;

/** Call `listener` whenever the history changes. */
export const onHistory = (listener) => listeners.add(listener);

/** Add a question and its answer. The same question asked again replaces the earlier one. */
export function remember({ asked, title, answer, thumbnail }) {
  const same = (entry) => asked.by !== "file" && JSON.stringify(entry.asked) === JSON.stringify(asked);
  const entry = { id: crypto.getRandomValues(new Uint32Array(1))[0], at: new Date().toISOString(), title, asked, row: row(answer), thumbnail };
  entries = [entry, ...entries.filter((other) => !same(other))].slice(0, MOST);
  write();
}

/** Forget one entry, or all of them. */
export function forget(id = null) {
  entries = id === null ? [] : entries.filter((entry) => entry.id !== id);
  write();
}

// another tab of this page asked something
addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  entries = read();
  for (const listener of listeners) listener(entries);
});
