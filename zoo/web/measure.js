// The measuring page: a galaxy, standards, and what a person does with them, by keyboard, mouse or finger.

import { announce, h, one } from "../web/dom.js";
import { Board } from "./board.js";
import { asked, me, ofProject, project } from "./client.js";
import { deg, fail, frame } from "./frame.js";
import { Galaxies } from "./galaxies.js";
import { COARSE, FINE, lattice, placeOf } from "./lattice.js";
import * as queue from "./queue.js";
import { BANDS, View } from "./view.js";

const FLAGS = [["face_on", "Face-on"], ["poor_image", "Poor image"], ["ambiguous", "Ambiguous"], ["disturbed", "Disturbed"], ["several_galaxies", "Several galaxies"], ["not_a_spiral", "Not a spiral"], ["not_sure", "Not sure"]];
const KEEPS = "not_sure";
const UNDO = 20;
const PAUSES_MS = [1000, 2000, 5000, 10000, 15000];

const state = { person: null, project: null, standards: [], galaxy: null, step: COARSE, flags: new Set(), done: [], began: 0, failures: 0 };
const view = new View(one("#stage"));
const board = new Board(one("#board"), {
  moved: (said, shown) => {
    one("#place").textContent = said;
    scale(shown);
  },
  missing: (standard) => {
    state.standards = state.standards.filter((one) => one !== standard);
    if (state.galaxy) redraw();
  },
});
const galaxies = new Galaxies(async (galaxy, error) => {
  note(`A galaxy was left out: ${error.message}`);
  await say({ kind: "skip", lease: galaxy.lease });
});

const note = (text) => {
  one("#note").textContent = text;
  announce(text);
};

async function say(said) {
  await queue.add(state.person.person, said);
  flush();
}

async function counted() {
  const left = await queue.waiting(state.person.person);
  one("#waiting").textContent = left.length === 0 ? "All answers are saved." : `${left.length} ${left.length === 1 ? "answer waits" : "answers wait"} for the zoo; they are kept in this browser.`;
  one("#waiting").dataset.ahead = String(galaxies.ready.length);
  return left;
}

function saving() {
  one("#waiting").textContent = "Saving…";
  one("#waiting").dataset.ahead = "";
}

let flushing = null;
let again = null;
let more = false;

/** Send what waits and load what comes next, and try again until both are done. */
function flush() {
  clearTimeout(again);
  counted();
  more = flushing !== null;
  flushing ??= sendAndFill().then(
    () => { state.failures = 0; },
    (error) => {
      const pause = PAUSES_MS[Math.min(state.failures, PAUSES_MS.length - 1)];
      state.failures += 1;
      if (!error.passing) note(error.message);
      again = setTimeout(flush, Math.max(pause, 1000 * (error.retryAfter ?? 0)));
    },
  ).finally(() => {
    flushing = null;
    if (!state.galaxy) {
      begin();
      more ||= Boolean(state.galaxy);
    }
    // what was said while this came to its end
    if (more && state.failures === 0) flush();
  });
  return flushing;
}

async function sendAndFill() {
  await counted();
  const refused = await queue.send(state.person.person, (said) => asked("api/answers", { method: "POST", json: { said } }));
  for (const { reason } of refused) note(reason);
  const left = await counted();
  await galaxies.fill(left.map(({ lease }) => lease).filter(Boolean));
  await counted();
}

function begin() {
  state.galaxy = galaxies.take();
  one("#stage").hidden = !state.galaxy;
  one("#empty").hidden = Boolean(state.galaxy);
  if (!state.galaxy) {
    one("#empty").textContent = galaxies.over ? "There is nothing left for you to measure here. Thank you!" : "The next galaxy is on its way…";
    return;
  }
  state.flags.clear();
  state.began = performance.now();
  view.reset();
  one("#galaxy").src = state.galaxy.url;
  one("#kind").textContent = state.galaxy.practice ? "Practice: you will be told how well you did." : "";
  stepOne();
  showFlags();
}

/** Draw standards of a step, with the galaxy at an inclination. */
function draw(step, around) {
  state.step = step;
  const standards = lattice(state.standards, step, state.project.lowest_deg, state.project.highest_deg);
  board.show(standards, step, placeOf(standards, around), state.galaxy.url);
  const first = state.step === COARSE;
  one("#step").textContent = first ? "Step 1 of 2: put the galaxy where it fits" : "Step 2 of 2: fit it closely";
  one("#go").textContent = first ? "Closer" : "Save";
  one("#back").hidden = first;
  showFlags();
}

const stepOne = () => draw(COARSE, (state.project.lowest_deg + state.project.highest_deg) / 2);

/** Show which part of the project's range the nine standards cover. */
function scale(shown) {
  const { lowest_deg: lowest, highest_deg: highest } = state.project;
  const part = (value) => `${(100 * (value - lowest)) / (highest - lowest)}%`;
  one("#shown").style.left = part(shown[0].truth_deg);
  one("#shown").style.right = part(lowest + highest - shown.at(-1).truth_deg);
  one("#at").style.left = part(board.inclination);
}

/** Draw other standards; the galaxy stays where it was put. */
function redraw() {
  const around = board.inclination;
  const seen = board.lattice[0].id;
  for (let tries = 0; tries < 20 && board.lattice[0].id === seen; tries += 1) draw(state.step, around);
}

const rejects = () => [...state.flags].some((flag) => flag !== KEEPS);

function showFlags() {
  for (const [flag] of FLAGS) one(`#flag-${flag}`).setAttribute("aria-pressed", String(state.flags.has(flag)));
  if (rejects()) one("#go").textContent = "Save without an inclination";
  else one("#go").textContent = state.step === COARSE ? "Closer" : "Save";
}

function toggle(flag) {
  if (!state.flags.delete(flag)) state.flags.add(flag);
  showFlags();
}

async function go() {
  if (!rejects() && state.step === COARSE) return draw(FINE, board.inclination);
  const { galaxy } = state;
  state.galaxy = null; // a second Enter says nothing twice
  saving();
  const answer = {
    kind: "answer",
    uuid: crypto.randomUUID?.() ?? uuid(),
    lease: galaxy.lease,
    inclination_deg: rejects() ? null : Math.round(board.inclination * 100) / 100,
    flags: [...state.flags],
    seconds: Math.min(86400, Math.round((performance.now() - state.began) / 100) / 10),
  };
  await queue.add(state.person.person, answer);
  state.done.push({ answer, galaxy });
  if (state.done.length > UNDO) Galaxies.free(state.done.shift().galaxy);
  one("#undo").disabled = false;
  const said = answer.inclination_deg === null ? "You gave it no inclination" : `You said ${deg(answer.inclination_deg)}`;
  note(galaxy.practice ? `${said}; it is ${deg(galaxy.truth_deg)}.` : `${said}. Saved.`);
  begin();
  flush();
}

async function undo() {
  const last = state.done.pop();
  if (!last) return;
  if (state.galaxy) galaxies.back(state.galaxy);
  galaxies.back(last.galaxy);
  state.galaxy = null;
  saving();
  one("#undo").disabled = state.done.length === 0;
  await queue.add(state.person.person, { kind: "undo", of: last.answer.uuid });
  note("Your last answer was taken back. Here is the galaxy again.");
  begin();
  flush();
}

async function skip() {
  const { galaxy } = state;
  state.galaxy = null;
  saving();
  await queue.add(state.person.person, { kind: "skip", lease: galaxy.lease });
  note("Skipped.");
  begin();
  flush();
}

/** For pages that are not served by https, where browsers have no randomUUID. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const ACTS = {
  go, undo, skip, redraw,
  back: () => state.step === FINE && stepOne(),
  left: () => board.put(board.place - 1),
  right: () => board.put(board.place + 1),
  invert: () => view.change("invert"),
  band: () => { view.change("band"); note(`Shown in ${BANDS[view.band]}.`); },
  brighter: () => view.change("brightness", 1.25),
  darker: () => view.change("brightness", 0.8),
  larger: () => view.change("zoom", 1.25),
  smaller: () => view.change("zoom", 0.8),
  turn: () => view.change("angle", 15),
  "turn-back": () => view.change("angle", -15),
  reset: () => view.reset(),
  help: () => one("#help").showModal(),
};
const KEYS = { Enter: "go", Escape: "back", ArrowLeft: "left", ArrowRight: "right", a: "left", d: "right", u: "undo", s: "skip", r: "redraw", i: "invert", b: "band", ".": "brighter", ",": "darker", "+": "larger", "=": "larger", "-": "smaller", "]": "turn", "[": "turn-back", 0: "reset", h: "help", "?": "help" };
const ALWAYS = new Set(["undo", "help"]);

function act(name) {
  if (state.galaxy || ALWAYS.has(name)) ACTS[name]();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one("#help").open || event.target.closest("input, select, textarea, a")) return;
  // a button in focus is pressed by Enter as everywhere else
  if (event.key === "Enter" && event.target.closest("button")) return;
  const flag = FLAGS[Number(event.key) - 1];
  const name = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!flag && !name) return;
  event.preventDefault();
  if (flag && state.galaxy) toggle(flag[0]);
  if (name) act(name);
});

/** Ask until there is an answer, as long as waiting may help. */
async function patiently(act) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (!error.passing) return fail(error);
      one("#empty").textContent = `${error.message} It is asked again…`;
      const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)];
      await new Promise((resolve) => { setTimeout(resolve, pause); });
    }
  }
}

async function start() {
  frame("measure");
  one("#flags").append(...FLAGS.map(([flag, text], n) => h("button", { type: "button", id: `flag-${flag}`, class: "chip", "aria-pressed": "false", onclick: () => state.galaxy && toggle(flag) }, h("kbd", {}, String(n + 1)), ` ${text}`)));
  for (const element of document.querySelectorAll("[data-act]")) element.addEventListener("click", () => act(element.dataset.act));
  if (!project) location.replace("./");
  [state.project, state.standards, state.person] = await patiently(() => Promise.all([asked(ofProject()), asked(ofProject("/standards")), me()]));
  one("#title").textContent = state.project.title;
  document.title = `${state.project.title}: measure`;
  addEventListener("online", flush);
  if (state.person.measured === 0) one("#help").showModal();
  await flush();
}

start();
