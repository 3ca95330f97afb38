// Something is on its way: what, for how long already, and a way out.

import { announce, button, h } from "./dom.js";

/**
 * A card that shows progress until it is taken out of the page. `preview` is the address of a picture that is being
 * measured; `sent(0..1)` fills the bar of an upload.
 */
export function wait(text, cancel, preview = null) {
  const started = performance.now();
  const said = h("span", {}, text);
  const elapsed = h("span", { class: "elapsed", "aria-hidden": "true" });
  const bar = h("progress", { "aria-label": text });
  const element = h("div", { class: "card wait", "aria-busy": "true" },
    // what this browser can't show, FITS and TIFF, has no preview
    preview ? h("img", { src: preview, alt: "", onerror: (event) => event.target.remove() }) : null,
    h("p", {}, said, elapsed), bar, button("Cancel", cancel, { class: "small" }));
  const timer = setInterval(() => {
    if (!element.isConnected) return clearInterval(timer);
    const seconds = Math.floor((performance.now() - started) / 1000);
    elapsed.textContent = seconds ? `${seconds} s` : "";
    return undefined;
  }, 1000);
  announce(text);
  return {
    element,
    sent(part) {
      if (part < 1) bar.value = part;
      else bar.removeAttribute("value");
      said.textContent = part < 1 ? `Sending the picture, ${Math.round(part * 100)} %` : text;
    },
  };
}
