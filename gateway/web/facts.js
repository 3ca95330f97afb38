// What is known of the galaxy, and where to read more about it.

import { h } from "./dom.js";
import { declination, degrees, number, rightAscension } from "./format.js";

/** Pages about a galaxy elsewhere: [name, address]. By name or number where known, else by position. */
export function links({ name, pgc, ra_deg: ra, dec_deg: dec }) {
  const known = name ?? (pgc ? `PGC ${pgc}` : null);
  const id = known && encodeURIComponent(known);
  const signed = `${dec < 0 ? "" : "+"}${dec}`;
  const at = new URLSearchParams({ in_csys: "Equatorial", in_equinox: "J2000", ra: `${ra}d`, dec: `${signed}d`, radius: "0.5" });
  const near = new URLSearchParams({ Coord: `${ra} ${signed}`, CooFrame: "ICRS", Radius: "0.5", "Radius.unit": "arcmin" });
  const leda = pgc ? `PGC${pgc}` : id;
  return [
    ["NED", id ? `https://ned.ipac.caltech.edu/byname?objname=${id}` : `https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&${at}`],
    ["SIMBAD", id ? `https://simbad.cds.unistra.fr/simbad/sim-id?Ident=${id}` : `https://simbad.cds.unistra.fr/simbad/sim-coo?${near}`],
    leda ? ["HyperLEDA", `http://atlas.obs-hp.fr/hyperleda/ledacat.cgi?o=${leda}`] : null,
    ["SDSS", `https://skyserver.sdss.org/dr18/VisualTools/navi?ra=${ra}&dec=${dec}`],
  ].filter(Boolean);
}

const list = (known) =>
  h("dl", {}, known.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, typeof value === "number" ? String(value) : value))));

/** The card of a picture that was uploaded. */
export const pictureFacts = (image, name) =>
  h("section", { class: "card facts", "aria-labelledby": "facts-title" },
    h("h3", { id: "facts-title" }, "The picture"),
    list([["File", name], ["Format", image.format], ["Size", `${image.width} × ${image.height} pixels`]]),
    h("p", { class: "fine" }, "Best is a picture one to two diameters of the galaxy wide, with it in the middle; else the frame around it is measured. Its orientation does not matter."));

/** The card of a resolved galaxy. */
export function facts(galaxy, image) {
  const known = [
    ["PGC", galaxy.pgc],
    ["Right ascension", h("span", { title: `${galaxy.ra_deg}°` }, rightAscension(galaxy.ra_deg))],
    ["Declination", h("span", { title: `${galaxy.dec_deg}°` }, declination(galaxy.dec_deg))],
    ["Diameter D25", galaxy.d25_arcmin === null ? null : `${number(galaxy.d25_arcmin, 2)}′`],
    ["Axis ratio", galaxy.axis_ratio === null ? null : number(galaxy.axis_ratio, 2)],
    ["Position angle", galaxy.position_angle_deg === null ? null : degrees(galaxy.position_angle_deg, 0)],
    ["Catalogue", galaxy.source],
    ["Image", image.fov_arcmin ? `${image.source}, ${number(image.fov_arcmin, 1)}′ wide` : image.source],
  ];
  return h("section", { class: "card facts", "aria-labelledby": "facts-title" },
    h("h3", { id: "facts-title" }, "The galaxy"),
    list(known),
    h("p", { class: "links" }, h("span", {}, "See it in "), links(galaxy).map(([name, href]) =>
      h("a", { href, target: "_blank", rel: "noopener noreferrer" }, name))));
}
