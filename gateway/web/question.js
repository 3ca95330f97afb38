// A question is what the address bar holds: {by: "name" | "pgc" | "coordinates", …, survey, r}.

const FIELDS = { name: ["name"], pgc: ["pgc"], coordinates: ["ra", "dec", "fov", "pa"] };
const OPTIONS = ["survey", "r"];

/** The question in a query string, or null when there is none. */
export function fromSearch(search) {
  const given = new Map([...new URLSearchParams(search)].map(([key, value]) => [key.toLowerCase(), value.trim()]));
  const by = Object.keys(FIELDS).find((kind) => given.get(FIELDS[kind][0]));
  return by ? question(by, (field) => given.get(field)) : null;
}

/** Collect the question of a kind from whatever knows its fields; those that are empty are left out. */
export function question(by, valueOf) {
  const asked = { by };
  for (const field of [...(FIELDS[by] ?? []), ...OPTIONS]) {
    const value = valueOf(field)?.trim();
    if (value) asked[field] = value;
  }
  return asked;
}

/** The query string of a question. */
export function toSearch(asked) {
  const { by, ...fields } = asked;
  return `?${new URLSearchParams(fields)}`;
}

/** Where the API answers a question, relative to the page. */
export function apiPath(asked, include = []) {
  const { by, name, pgc, ...rest } = asked;
  const query = new URLSearchParams(rest);
  for (const one of include) query.append("include", one);
  const path = { name: `api/objname/${encodeURIComponent(name)}`, pgc: `api/pgc/${encodeURIComponent(pgc)}` }[by];
  return [path ?? "api/coordinates", query.toString()].filter(Boolean).join("?");
}

/** The question for people. */
export function label(asked) {
  if (asked.by === "name") return asked.name;
  return asked.by === "pgc" ? `PGC ${asked.pgc}` : [asked.ra, asked.dec].filter(Boolean).join(" ");
}

/** What keeps a question from being asked: the field and a sentence, or null. */
export function incomplete(asked) {
  if (asked.by === "name" && !asked.name) return ["name", "Type the name of a galaxy, such as NGC 5055."];
  if (asked.by === "pgc" && !/^\d+$/.test(asked.pgc ?? "")) return ["pgc", "A PGC number has digits only, such as 46153."];
  if (asked.by === "coordinates" && !asked.ra) return ["ra", "Type the right ascension, such as 13 15 49.3."];
  // a designation such as J131549.3+420146 is a whole position
  if (asked.by === "coordinates" && !asked.dec && !/J\s*\d/i.test(asked.ra)) return ["dec", "Type the declination, such as +42 01 46."];
  return null;
}

/** Split a position pasted in one piece into right ascension and declination, or null. */
export function splitPosition(text) {
  const parts = text.trim().match(/^(.+?)(?:\s*[,;]\s*|\s+(?=[+\u2212-])|\t+)(.+)$/) ?? inHalves(text);
  return parts ? [parts[1].trim(), parts[2].trim().replace("\u2212", "-")] : null;
}

function inHalves(text) {
  const words = text.trim().split(/\s+/);
  const half = words.length / 2;
  if (![1, 2, 3].includes(half)) return null;
  return [text, words.slice(0, half).join(" "), words.slice(half).join(" ")];
}
