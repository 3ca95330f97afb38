// A failure: the problem's own sentence, and what to do next.

import { button, h, one } from "./dom.js";
import { useKey } from "./key.js";

const OWN_PICTURE = "Measuring a picture of your own needs no other service and still works.";
const AGAIN = "Wait a moment, then try again.";

// Asking the very same again can help against these only; the others are answers that will not change.
const PASSING = new Set([0, 408, 429]);
const passes = ({ status }) => PASSING.has(status) || status >= 500;

const NEXT = {
  "unknown-target": "Check the spelling, try another of the galaxy’s names, or ask by its coordinates.",
  "not-a-galaxy": "Ask for a galaxy. If one lies at this place, ask by its own name, PGC number or coordinates.",
  "bad-target": "A name is like NGC 5055, a PGC number has digits only, coordinates are like 198.9554 +42.0294 or 13 15 49.3 +42 01 46.",
  "outside-footprint": "Ask another survey, or measure a picture of your own.",
  "unusable-cutout": "Try another survey or field of view, or measure a picture of your own.",
  "bad-image": "Look at the file in a viewer: it may be incomplete. Saving it anew as PNG or JPEG often helps.",
  "image-too-large": "Cut out the galaxy, or make the picture smaller: 512 × 512 pixels are plenty.",
  "unsupported-image": "Save the picture as PNG, JPEG, TIFF or FITS, then try again.",
  "bad-table": "Give it a header with a column name, pgc, ra and dec, or file; a template is offered with the choice of a table.",
  "table-too-large": "Split the table into smaller ones.",
  "too-many-requests": AGAIN,
  busy: AGAIN,
  "shutting-down": AGAIN,
  "slow-client": "A smaller picture arrives sooner.",
  unauthorized: "Whoever runs this service gives keys out. Yours stays in this tab and is sent to this service only.",
  "upstream-broken": `${AGAIN} ${OWN_PICTURE}`,
  "upstream-unavailable": `${AGAIN} ${OWN_PICTURE}`,
  "quorum-lost": "The networks may be starting. Wait a moment, then try again.",
  "deadline-exceeded": "Try again: the second time is often faster.",
  unreachable: "Check the connection, then try again.",
  foreign: "Try again. If it stays, the operator of this service should know.",
};

// surveys have names for people beside those for the API
const nameOf = (field, value) => (field === "survey" && one(`option[value="${CSS.escape(value)}"]`)?.textContent) || value;

function keyForm(retry) {
  const input = h("input", { type: "password", name: "key", autocomplete: "off", spellcheck: "false", required: true });
  const form = h("form", { class: "fields" }, h("label", { class: "field grow" }, h("span", {}, "Key"), input),
    h("button", { type: "submit", class: "primary" }, "Use this key"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(input.value);
    retry();
  });
  return form;
}

/**
 * The card of a failure.
 *
 * `retry` asks the same again; `instead` asks something else: a suggested name, or another survey.
 */
export function failure(problem, { retry = null, instead = null } = {}) {
  const { suggestions, surveys, service } = problem.body;
  const choices = (title, values, field) =>
    instead && Array.isArray(values) && values.length
      ? h("p", { class: "choices" }, h("span", {}, title),
        values.slice(0, 8).map((value) => button(nameOf(field, String(value)), () => instead({ [field]: String(value) }), { class: "chip" })))
      : null;
  const pause = problem.retryAfter ? ` The service asks for a pause of ${problem.retryAfter} s.` : "";
  return h("div", { class: "card failure", role: "alert" },
    h("h2", {}, problem.title),
    h("p", { class: "detail" }, problem.detail),
    h("p", {}, (NEXT[problem.slug] ?? "Try again. If it stays, the operator of this service should know.") + pause),
    choices("Did you mean", suggestions, "name"),
    choices("Surveys that reach there", surveys, "survey"),
    retry && problem.slug === "unauthorized" ? keyForm(retry) : null,
    retry && passes(problem) ? h("p", {}, button("Try again", retry, { class: "primary" })) : null,
    h("p", { class: "fine" }, [service ? `Service: ${service}` : null, problem.slug ? `Kind: ${problem.slug}` : null, problem.status ? `Status ${problem.status}` : null]
      .filter(Boolean).join(" · ")));
}
