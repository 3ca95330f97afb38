// Files dropped on the page or pasted into it, wherever that happens.

import { h } from "./dom.js";

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Call `take(files)` with what was dropped or pasted. */
export function takeDrops(take) {
  const veil = h("div", { class: "veil", hidden: true, "aria-hidden": "true" }, h("p", {}, "Drop a picture to measure it, or a table for many"));
  document.body.append(veil);
  let depth = 0;
  const show = (visible) => {
    depth = visible ? depth : 0;
    veil.hidden = !visible;
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && (depth -= 1) <= 0) show(false);
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(false);
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
}
