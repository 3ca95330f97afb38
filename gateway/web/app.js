// Wires the page: views, the address bar, the form, drops, and what lies at the foot.

import { Problem } from "./api.js";
import { fill, fillFile, options, setUpForm } from "./ask.js";
import { disc } from "./disc.js";
import { h, one } from "./dom.js";
import { takeDrops } from "./drop.js";
import { failure } from "./failure.js";
import { ask, askFile, clear } from "./one.js";
import { fromSearch, toSearch } from "./question.js";
import { showRelease } from "./release.js";

const VIEWS = ["one", "many", "history"];
const THEMES = ["auto", "light", "dark"];
let asked = null;

// What most visits don't need is fetched when it is first asked for.
const rooms = {};
const ROOMS = {
  many: async () => (await import("./many.js")).setUpMany(),
  history: async () => (await import("./history.js")).setUpHistory(),
};

function furnish(view) {
  if (!ROOMS[view]) return undefined;
  rooms[view] ??= Promise.all([tableStyle(), ROOMS[view]()]).catch((error) => {
    console.error(error);
    rooms[view] = style = null;
    const problem = new Problem({ type: "page:unreachable", title: "No answer from the service", detail: "This part of the page can’t be loaded." });
    one(`#${view}`).replaceChildren(failure(problem, { retry: () => furnish(view) }));
  });
  return rooms[view];
}

let style = null;
const tableStyle = () =>
  (style ??= new Promise((resolve, reject) => {
    const onerror = () => reject(new Error("tables.css"));
    document.head.append(h("link", { rel: "stylesheet", href: "web/tables.css", onload: resolve, onerror }));
  }));

function showView(name, focus = false) {
  const view = VIEWS.includes(name) ? name : "one";
  for (const section of document.querySelectorAll("[data-section]")) section.hidden = section.dataset.section !== view;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  furnish(view);
  if (focus) one(`#${view}-title`).focus();
}

/** Show what the address bar says. */
function follow() {
  showView(location.hash.slice(1));
  const there = fromSearch(location.search);
  if (JSON.stringify(there) === JSON.stringify(asked)) return;
  asked = there;
  if (!there) return clear();
  fill(there);
  ask(there, instead);
}

function go(next) {
  history.pushState(null, "", toSearch(next));
  asked = next;
  fill(next);
  showView("one");
  ask(next, instead);
}

/** Ask what a failure proposed: another name for a target that is unknown, another survey for one without an image. */
const instead = (before, changes) =>
  go(changes.name ? { by: "name", name: changes.name, ...(before.r ? { r: before.r } : {}) } : { ...before, ...changes });

function goFile(file) {
  history.pushState(null, "", "./");
  asked = null;
  showView("one");
  fillFile(file);
  askFile(file, options());
}

async function take(files) {
  const onlyIfMany = one("[data-section=many]").hidden;
  const { isTable } = await import("./batch.js");
  if (onlyIfMany && files.length === 1 && !(await isTable(files[0]))) return goFile(files[0]);
  if (location.hash !== "#many") history.pushState(null, "", "#many");
  showView("many");
  await furnish("many");
  return (await import("./many.js")).takeMany(files);
}

function setUpTheme() {
  const control = one("#theme");
  const root = document.documentElement;
  const say = () => {
    control.textContent = `Theme: ${root.dataset.theme ?? "auto"}`;
  };
  control.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("inclinet.theme", next);
    } catch {
      // storage switched off: the choice holds for this visit
    }
    say();
  });
  say();
}

function setUpLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    if (link.dataset.ask !== undefined) {
      event.preventDefault();
      go(fromSearch(new URL(link.href).search));
    } else if (link.dataset.view) {
      event.preventDefault();
      const hash = link.dataset.view === "one" ? location.pathname + location.search : `#${link.dataset.view}`;
      history.pushState(null, "", hash);
      showView(link.dataset.view, true);
    } else if (link.id === "home") {
      event.preventDefault();
      history.pushState(null, "", "./");
      asked = null;
      showView("one", true);
      clear();
    }
  });
  addEventListener("popstate", follow);
}

one("#tilts").replaceChildren(...[0, 30, 45, 60, 75, 90].map((tilt) => h("figure", {}, disc(tilt), h("figcaption", {}, `${tilt}°`, { 0: " face-on", 90: " edge-on" }[tilt]))));
one("#sketch").addEventListener("click", async () => goFile(await (await import("./sketch.js")).drawnGalaxy()));
setUpTheme();
setUpForm({ ask: go, askFile: goFile });
setUpLinks();
takeDrops(take);
follow();
showRelease();
