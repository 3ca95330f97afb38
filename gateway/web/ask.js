// The form of one question, and the ways around typing into it.

import { h, one } from "./dom.js";
import { bytes } from "./format.js";
import { incomplete, question, splitPosition } from "./question.js";

const form = one("#ask");
const note = one("#ask-note");

const kind = () => form.elements.by.value;

function showKind() {
  for (const fields of form.querySelectorAll("[data-by]")) fields.hidden = fields.dataset.by !== kind();
  one("button.primary", form).hidden = kind() === "file";
  say(null);
}

/** Say what is wrong with the form, at the field. */
function say(problem) {
  note.hidden = !problem;
  note.textContent = problem ? problem[1] : "";
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  if (!problem) return;
  const input = form.elements[problem[0]];
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", note.id);
  input.focus();
}

function split(text) {
  const position = splitPosition(text);
  if (position) [form.elements.ra.value, form.elements.dec.value] = position;
  return position !== null;
}

/** Show a question in the form, as when the address bar or the history asked it. */
export function fill(asked) {
  form.elements.by.value = asked.by;
  for (const input of form.querySelectorAll("input:not([type=radio], [type=file]), select")) input.value = asked[input.name] ?? "";
  one("details.options", form).open = Boolean(asked.survey || asked.r);
  showKind();
}

/** Show which picture is being measured. */
export function fillFile(file) {
  form.elements.by.value = "file";
  showKind();
  one(".pick .hint", form).replaceChildren(h("strong", {}, file.name || "pasted picture"), ` ${bytes(file.size)}; choose, drop or paste another`);
}

/** The options of the form that concern a picture. */
export const options = () => (form.elements.r.value.trim() ? { r: form.elements.r.value.trim() } : {});

/** Wire the form: `ask(question)` and `askFile(file)` are what it leads to. */
export function setUpForm({ ask, askFile }) {
  form.addEventListener("change", (event) => {
    if (event.target.name === "by") showKind();
    if (event.target.name === "file" && event.target.files.length) {
      askFile(event.target.files[0]);
      // the same file chosen again must count as a change
      event.target.value = "";
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (kind() === "file") return form.elements.file.click();
    if (kind() === "coordinates" && !form.elements.dec.value.trim()) split(form.elements.ra.value);
    const asked = question(kind(), (field) => form.elements[field]?.value);
    const problem = incomplete(asked);
    say(problem);
    return problem ? undefined : ask(asked);
  });
  form.elements.ra.addEventListener("paste", (event) => {
    if (split(event.clipboardData.getData("text"))) event.preventDefault();
  });
  showKind();
}
