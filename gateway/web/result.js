// A result: the picture and what the networks saw on one side, what came out on the other.

import { measure } from "./api.js";
import { dotplot } from "./dotplot.js";
import { announce, button, h } from "./dom.js";
import { facts, pictureFacts } from "./facts.js";
import { fileName, median, number, within } from "./format.js";
import { checks, headline } from "./measures.js";
import { Picture } from "./picture.js";
import { queryOf } from "./region.js";
import { shareCard } from "./share.js";

/** What a screen reader is told, and the title of the page. */
export const spoken = (answer, title) =>
  `${title}: inclination ${median(answer.inclination)}, 68 % interval ${within(answer.inclination)}` +
  (answer.warnings.length ? `. ${answer.warnings.length === 1 ? "One warning" : `${answer.warnings.length} warnings`}.` : ".");

// surveys put north up; a cutout whose position angle is known was turned so that the major axis lies along the rows
const sky = ({ fov_arcmin: fov, position_angle_deg: angle }) =>
  fov ? { fov, north: angle === null || angle === undefined ? 90 : 180 - angle } : {};

/**
 * Show an answer.
 *
 * `asked` is the question, `address` where its picture is (a blob or data URL), `file` the name of an upload and
 * `upload` itself, `shared` the address of the result. Resolves once the picture is drawn.
 */
export async function result({ answer: first, asked, title, address, file, upload, shared }) {
  let answer = first;
  let running = null;
  const origin = first.image.source === "upload" ? null : first.image.source;
  const picture = new Picture(() => remeasure());
  const numbers = h("div", { class: "numbers" });
  const seen = h("img", { class: "seen", width: 128, height: 128, alt: "The 128 by 128 pixels that the networks saw" });
  const turned = h("p", { class: "note", role: "status", hidden: true });
  const take = shareCard(state, picture);

  function state() {
    const own = picture.moved ? `${fileName(title)}.png` : file;
    return { answer, asked: { ...asked, ...framing() }, title, file: own, shared: picture.moved ? null : shared, source: [origin, ...viewed()] };
  }

  // a view is sent as it is seen; of an upload the service finds the frame, unless a person drew another
  function framing() {
    if (picture.moved) return { frame: "whole" };
    return picture.reframed ? queryOf(picture.region.value, first.image) : {};
  }

  // what the person did to the picture, in words
  function viewed() {
    const { turn, zoom } = picture.view;
    const frame = picture.region.value ? "in the frame you drew" : "as a whole";
    return [
      turn ? `rotated by ${number(turn, 0)}°` : null,
      zoom === 1 ? null : `zoomed × ${zoom.toFixed(2)}`,
      picture.reframed ? frame : null,
    ].filter(Boolean);
  }

  function show(next) {
    answer = { ...next, galaxy: first.galaxy };
    picture.measured(answer);
    seen.src = answer.image.model_input ?? "";
    numbers.replaceChildren(headline(answer, title), checks(answer), plotCard());
    take.refresh();
  }

  const plotCard = () =>
    h("section", { class: "card", "aria-labelledby": "plot-title" },
      h("h3", { id: "plot-title" }, "What each network said"), dotplot(answer));

  function note(text, ...rest) {
    turned.hidden = !text;
    turned.replaceChildren(text, ...rest);
  }

  async function remeasure() {
    running?.abort();
    const own = (running = new AbortController());
    if (!picture.moved && !picture.reframed) {
      numbers.removeAttribute("aria-busy");
      note("");
      return show(first);
    }
    const view = viewed().join(", ");
    note(`Measuring the picture ${view}…`);
    numbers.setAttribute("aria-busy", "true");
    try {
      const sent = picture.moved ? await picture.snapshot() : upload;
      const name = picture.moved ? "view.png" : file;
      const next = await measure(sent, { name, r: asked.r, framing: framing(), signal: own.signal });
      if (running !== own) return undefined;
      show(next);
      note(`These are the numbers of the picture ${view}.`);
    } catch (error) {
      if (error.name === "AbortError" || running !== own) return undefined;
      note(`${error.detail ?? error.message} The numbers are those of the view before. `, button("Try again", remeasure, { class: "small" }));
    }
    numbers.removeAttribute("aria-busy");
    return undefined;
  }

  const model = first.image.model_input;
  let plain = null;
  try {
    await picture.load(address ?? model, [title, origin].filter(Boolean).join(", "), sky(first.image));
    if (upload) picture.framed(first.image);
  } catch {
    // FITS and TIFF: browsers don't show them, the networks' own view does as well
    plain = `This browser can’t show ${first.image.format}: the picture is what the networks saw.`;
    await picture.load(model, title);
  }
  show(first);
  const element = h("article", { class: "result", "aria-label": title },
    h("div", { class: "look" },
      h("section", { class: "card picture", "aria-labelledby": "picture-title" },
        h("h2", { id: "picture-title", class: "unseen" }, `The picture of ${title}`),
        picture.frame,
        plain ? h("p", { class: "fine" }, plain) : null,
        picture.controls, turned),
      h("section", { class: "card saw", "aria-labelledby": "saw-title" }, seen,
        h("div", {}, h("h3", { id: "saw-title" }, "What the networks saw"),
          h("p", { class: "fine" }, "Their whole input: 128 × 128 pixels. Rotate or zoom the picture, and they look again."))),
      first.galaxy ? facts(first.galaxy, first.image) : pictureFacts(first.image, title)),
    h("div", { class: "said" }, numbers, take.element));
  announce(spoken(first, title));
  return { element, thumbnail: () => picture.thumbnail() };
}
