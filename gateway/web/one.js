// One galaxy: from a question or a picture to a result in the page.

import { get, measure, Problem } from "./api.js";
import { announce, one } from "./dom.js";
import { failure } from "./failure.js";
import { median } from "./format.js";
import { apiPath, label, toSearch } from "./question.js";
import { showRelease } from "./release.js";
import { result } from "./result.js";
import { remember } from "./store.js";
import { wait } from "./wait.js";

const NAME = "inclinet";
let running = null;
let address = null;

function begin(text, preview = null) {
  running?.abort();
  const controller = (running = new AbortController());
  const waiting = wait(text, () => {
    controller.abort();
    running = null;
    clear();
    announce("Cancelled.");
  }, preview);
  one("#intro").hidden = true;
  one("#answer").replaceChildren(waiting.element);
  return { controller, waiting };
}

/** Back to the page before any question. */
export function clear() {
  running?.abort();
  running = null;
  one("#answer").replaceChildren();
  one("#intro").hidden = false;
  document.title = `${NAME}: the inclination of spiral galaxies`;
}

/** Ask about a target. `instead(changes)` asks another question that a failure proposed. */
export async function ask(asked, instead) {
  const title = label(asked);
  const { controller, waiting } = begin(`Asking for ${title}: position, image, networks…`);
  document.title = `${title} · ${NAME}`;
  try {
    const answer = await get(apiPath(asked, ["model_input", "cutout"]), controller.signal);
    performance.mark("inclinet:answered");
    const name = answer.galaxy?.name ?? (answer.galaxy?.pgc ? `PGC ${answer.galaxy.pgc}` : title);
    await present(controller, { answer, asked, title: name, address: answer.image.cutout, shared: new URL(toSearch(asked), document.baseURI).href });
  } catch (error) {
    fail(controller, error, { retry: () => ask(asked, instead), instead: (changes) => instead(asked, changes) });
  }
  return waiting;
}

/** Measure a picture file. */
export async function askFile(file, options = {}) {
  const title = file.name || "pasted picture.png";
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  const { controller, waiting } = begin(`The networks look at ${title}…`, address);
  document.title = `${title} · ${NAME}`;
  try {
    const answer = await measure(file, { name: title, r: options.r, signal: controller.signal, sent: waiting.sent });
    performance.mark("inclinet:answered");
    await present(controller, { answer, asked: { by: "file", ...options }, title, address, file: title, upload: file, shared: null });
  } catch (error) {
    fail(controller, error, { retry: () => askFile(file, options) });
  }
}

async function present(controller, told) {
  const made = await result(told);
  if (running !== controller) return;
  one("#answer").replaceChildren(made.element);
  document.title = `${told.title} · ${median(told.answer.inclination)} · ${NAME}`;
  showRelease();
  remember({ asked: told.asked, title: told.title, answer: told.answer, thumbnail: made.thumbnail() });
  // the second frame begins when the first, which shows the result, is painted
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("inclinet:painted", "inclinet:answered")));
}

function fail(controller, error, ways) {
  if (error.name === "AbortError" || running !== controller) return;
  const problem = error instanceof Problem ? error : new Problem({ title: "The page stumbled", detail: String(error.message ?? error) });
  document.title = `${problem.title} · ${NAME}`;
  announce("");
  one("#answer").replaceChildren(failure(problem, ways));
}
