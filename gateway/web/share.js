// Share the result: as text for a notebook, a table, a shell or a program, as a picture, and as a link.

import { address } from "./api.js";
import { announce, button, h } from "./dom.js";
import { fileName, median, within } from "./format.js";
import { hasKey } from "./key.js";
import { apiPath } from "./question.js";
import { VOTABLE, columns, csv, download, row, votable } from "./rows.js";

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const python = (text) => JSON.stringify(text);

/** The answer without its pictures, as indented JSON. */
export function asJson(answer) {
  const { model_input: _input, cutout: _cutout, ...image } = answer.image;
  return JSON.stringify({ ...answer, image }, null, 2);
}

/** A header and one row, as the API writes them. */
export const asCsv = (answer) => csv(columns, [row(answer)]);

function fileQuery({ r, frame, x, y, side }) {
  const given = Object.entries({ r, frame, x, y, side }).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

// the key itself is not for a notebook or a shell's history
const shellKey = () => (hasKey() ? '-H "Authorization: Bearer $INCLINET_API_KEY" ' : "");

/** A command that asks the same. `file` names the picture of an upload. */
export function asCurl(asked, file) {
  // curl itself splits at these, unless the name is in double quotes
  const name = /[",;\\]/.test(file ?? "") ? `"${file.replace(/["\\]/g, "\\$&")}"` : file;
  if (file) return `curl ${shellKey()}-F ${shell(`file=@${name}`)} ${shell(address(`api/file${fileQuery(asked)}`))}`;
  return `curl ${shellKey()}${shell(address(apiPath(asked)))}`;
}

const UNITS = { fov: "arcmin", pa: "deg" };
const DECIMAL = /^[+-]?\d+(\.\d*)?$/;

/** A position as Python writes it: as it was asked where that is in degrees, else where it was found to be. */
function position({ ra, dec }, { galaxy }) {
  const [alpha, delta] = DECIMAL.test(ra) && DECIMAL.test(dec ?? "") ? [ra, dec] : [galaxy.ra_deg, galaxy.dec_deg];
  return `SkyCoord(${Number(alpha)}, ${Number(delta)}, unit="deg")`;
}

/** A program that asks the same, with the client that `pip install inclinet` brings. */
export function asPython(asked, file, answer) {
  const named = Object.entries(asked).filter(([name]) => ["fov", "pa", "survey", "r", "frame", "x", "y", "side"].includes(name) && asked[name] !== undefined);
  const value = (name, given) => (name in UNITS ? `${Number(given)} * u.${UNITS[name]}` : DECIMAL.test(given) ? String(Number(given)) : python(given));
  const options = named.map(([name, given]) => `, ${name}=${value(name, given)}`).join("");
  const where = !file && asked.by === "coordinates";
  const call = file ? `query_image(${python(file)}` : where ? `query_region(${position(asked, answer)}` : asked.by === "pgc" ? `query_pgc(${Number(asked.pgc)}` : `query_object(${python(asked.name)}`;
  return [
    "# pip install inclinet",
    named.some(([name]) => name in UNITS) && "from astropy import units as u",
    where && "from astropy.coordinates import SkyCoord",
    "from inclinet import Inclinet",
    "",
    `inclinet = Inclinet(${python(address("."))})${hasKey() ? "  # the key is that of the environment: INCLINET_API_KEY" : ""}`,
    `answer = inclinet.${call}${options})`,
    "print(answer.inclination, answer.interval68)",
    "",
  ].filter((line) => line !== false).join("\n");
}

/** The two lines under a downloaded picture. */
export function caption({ answer, title, source }) {
  const { inclination } = answer;
  return [`${title}   i = ${median(inclination)}`, [`68 % interval ${within(inclination)}`, ...source, `inclinet ${answer.release}`].filter(Boolean).join("  ·  ")];
}

/**
 * The card. `state()` gives {answer, asked, title, file, shared}: what is shown now; `file` names the picture where the
 * result belongs to one, `shared` is the address of a result that has one, `source` says where the picture is from and
 * what was done to it. `picture` draws.
 */
export function shareCard(state, picture) {
  const shown = h("pre", { hidden: true, tabindex: "0", "aria-label": "What was copied" });
  const said = h("p", { class: "fine copied", role: "status" });
  async function copy(name, text) {
    shown.textContent = text;
    shown.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = `${name} copied.`;
    } catch {
      // browsers lend the clipboard to secure pages only
      getSelection().selectAllChildren(shown);
      said.textContent = `${name} is selected below: copy it with Ctrl C or ⌘ C.`;
    }
  }
  const copies = [
    ["JSON", ({ answer }) => asJson(answer)],
    ["CSV row", ({ answer }) => asCsv(answer)],
    ["curl", ({ asked, file }) => asCurl(asked, file)],
    ["Python", ({ asked, file, answer }) => asPython(asked, file, answer)],
  ];
  const link = button("Link", () => copy("Link", state().shared));
  const sharing = h("p", { class: "fine" });
  const element = h("section", { class: "card take", "aria-labelledby": "take-title" },
    h("h3", { id: "take-title" }, "Take along"),
    h("div", { class: "take-rows" },
      h("div", { role: "group", "aria-label": "Copy" }, h("span", {}, "Copy"), copies.map(([name, make]) => button(name, () => copy(name, make(state())))), link),
      h("div", { role: "group", "aria-label": "Download" }, h("span", {}, "Download"),
        button("Picture with ellipse", async () => {
          download(await picture.poster(caption(state())), `${fileName(state().title)}_inclinet.png`);
          announce("Picture downloaded.");
        }),
        button("Picture", async () => download(await picture.snapshot(), `${fileName(state().title)}.png`)),
        button("VOTable", async () => download(await votable(columns, [row(state().answer)]), `${fileName(state().title)}.vot`, VOTABLE)))),
    said, shown, sharing);
  return {
    element,
    /** Bring in line with what is shown now. */
    refresh() {
      const { shared, file } = state();
      link.hidden = !shared;
      sharing.textContent = shared
        ? "The address bar holds this question: share or reload it."
        : `A picture can’t be in the address bar, so this result has no link${file ? ": keep the picture, curl and Python ask again with it" : ""}.`;
      shown.hidden = true;
      said.textContent = "";
    },
  };
}
