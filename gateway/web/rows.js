// Results as flat rows, with the columns of the API's own tables, and rows as CSV and VOTable.

import { described } from "./api.js";

const galaxy = (field) => (answer) => answer.galaxy?.[field] ?? null;

const COLUMNS = {
  name: galaxy("name"),
  pgc: galaxy("pgc"),
  ra_deg: galaxy("ra_deg"),
  dec_deg: galaxy("dec_deg"),
  d25_arcmin: galaxy("d25_arcmin"),
  axis_ratio: galaxy("axis_ratio"),
  position_angle_deg: galaxy("position_angle_deg"),
  galaxy_source: galaxy("source"),
  size_source: galaxy("size_source"),
  image_source: (answer) => answer.image.source,
  inclination_deg: (answer) => answer.inclination.median_deg,
  mean_deg: (answer) => answer.inclination.mean_deg,
  stdev_deg: (answer) => answer.inclination.stdev_deg,
  interval68_low_deg: (answer) => answer.inclination.interval68_deg.low,
  interval68_high_deg: (answer) => answer.inclination.interval68_deg.high,
  interval95_low_deg: (answer) => answer.inclination.interval95_deg.low,
  interval95_high_deg: (answer) => answer.inclination.interval95_deg.high,
  below95_deg: (answer) => answer.inclination.below95_deg,
  n_flavors: (answer) => answer.flavors.length,
  rejection: (answer) => answer.rejection.median,
  rejection_face_on: (answer) => answer.rejection.face_on,
  rejection_unsuitable: (answer) => answer.rejection.unsuitable,
  ellipticity_axis_ratio: (answer) => answer.ellipticity?.axis_ratio ?? null,
  ellipticity_inclination_deg: (answer) => answer.ellipticity?.inclination_deg ?? null,
  release: (answer) => answer.release,
  warnings: (answer) => answer.warnings.join(" "),
};

/** Names of the columns of a result, those of the API's CSV. */
export const columns = Object.keys(COLUMNS);

/** An answer as one flat row. */
export const row = (answer) => Object.fromEntries(columns.map((name) => [name, COLUMNS[name](answer)]));

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV (RFC 4180, but with newlines as every astronomer's tool reads them). */
export function csv(names, rows) {
  const lines = [names, ...rows.map((one) => names.map((name) => one[name]))];
  return lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
}

export const VOTABLE = "application/x-votable+xml";
const TYPES = { float: 'datatype="double"', int: 'datatype="long"', str: 'datatype="unicodeChar" arraysize="*"' };
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

// what no document of XML 1.0 may hold is replaced
const xml = (value) => String(value ?? "").replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd").replace(/[&<>"\r]/g, (one) => ENTITIES[one]);

/** Rows as VOTable 1.4, with the units, UCDs and descriptions that the service gives its columns. */
export async function votable(names, rows) {
  const known = await described();
  const field = (name) => {
    const { kind = "str", unit, ucd, description, link } = known.get(name) ?? {};
    const said = Object.entries({ unit, ucd }).filter(([, value]) => value).map(([key, value]) => ` ${key}="${xml(value)}"`);
    return `   <FIELD ID="${name}" name="${name}" ${TYPES[kind]}${said.join("")}>${description ? `<DESCRIPTION>${xml(description)}</DESCRIPTION>` : ""}${link ? `<LINK content-role="doc" title="HyperLEDA" href="${xml(link)}"/>` : ""}</FIELD>\n`;
  };
  const lines = rows.map((one) => `    <TR>${names.map((name) => `<TD>${xml(one[name])}</TD>`).join("")}</TR>\n`);
  return (
    '<?xml version="1.0" encoding="utf-8"?>\n<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n' +
    ` <RESOURCE type="results" name="inclinet">\n  <INFO name="QUERY_STATUS" value="OK"/>\n  <TABLE name="inclinations">\n${names.map(field).join("")}` +
    `   <DATA><TABLEDATA>\n${lines.join("")}   </TABLEDATA></DATA>\n  </TABLE>\n </RESOURCE>\n</VOTABLE>\n`
  );
}

/** Hand a file to the person. */
export function download(content, name, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // the browser reads the address after the click has returned
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
