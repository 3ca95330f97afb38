// Results as flat rows, with the columns of the API's own tables, and rows as CSV.

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
  n_flavors: (answer) => answer.flavors.length,
  rejection: (answer) => answer.rejection.median,
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
