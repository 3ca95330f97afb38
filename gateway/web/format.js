// Numbers as an astronomer reads them.

const MINUS = "\u2212";
const EMPTY = "\u2013";

/** A number with so many decimals; an en dash where there is none. */
export function number(value, digits = 1) {
  if (value === null || value === undefined || !Number.isFinite(value)) return EMPTY;
  return value.toFixed(digits).replace("-", MINUS);
}

/** Degrees, such as 60.8°. */
export const degrees = (value, digits = 1) =>
  value === null || value === undefined ? EMPTY : `${number(value, digits)}°`;

const WHOLE_FROM_DEG = 2;

// tenths of a degree say nothing where half of the 68 % interval is that wide
const decimals = ({ interval68_deg: { low, high } }) => ((high - low) / 2 >= WHOLE_FROM_DEG ? 0 : 1);

/** An inclination with the digits it deserves: 60.8° or 61°. */
export const median = (inclination) => degrees(inclination.median_deg, decimals(inclination));

/** Its interval for 68 or 95 %, such as 58.4°–63.1° or 58°–63°. */
export function intervalOf(inclination, level) {
  const { low, high } = inclination[`interval${level}_deg`];
  return [low, high].map((end) => degrees(end, decimals(inclination))).join("–");
}

/** Its one-sided bound, such as "below 25°", or null where there is none. */
export const bound = (inclination) =>
  Number.isFinite(inclination.below95_deg) ? `below ${degrees(inclination.below95_deg, decimals(inclination))}` : null;

/** Its 68 % interval, and its bound where there is one. */
export const within = (inclination) => [intervalOf(inclination, 68), bound(inclination) && `${bound(inclination)} (95 %)`].filter(Boolean).join(", ");

const LIKELY = 0.5;

/** A likelihood of rejection with the likelier reason of a likely one, such as "0.83 face-on". */
export function rejected({ median: likelihood, face_on: faceOn, unsuitable }) {
  const why = faceOn > unsuitable ? "face-on" : "unsuitable";
  return likelihood >= LIKELY && Number.isFinite(faceOn) ? `${number(likelihood, 2)} ${why}` : number(likelihood, 2);
}

function sexagesimal(value, digits) {
  const scale = 10 ** digits;
  const ticks = Math.round(value * 3600 * scale);
  const seconds = ((ticks / scale) % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const minutes = Math.floor(ticks / scale / 60);
  return [Math.floor(minutes / 60), String(minutes % 60).padStart(2, "0"), seconds];
}

/** Right ascension in hours, such as 22h 37m 04.1s. */
export function rightAscension(deg) {
  const [hours, minutes, seconds] = sexagesimal((((deg % 360) + 360) % 360) / 15, 1);
  return `${String(hours % 24).padStart(2, "0")}h ${minutes}m ${seconds}s`;
}

/** Declination, such as +34° 24′ 56″. */
export function declination(deg) {
  const [whole, minutes, seconds] = sexagesimal(Math.abs(deg), 0);
  return `${deg < 0 ? MINUS : "+"}${String(whole).padStart(2, "0")}° ${minutes}′ ${seconds}″`;
}

/** Bytes for people, such as 1.2 MB. */
export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toFixed(0)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** Seconds for people, such as "about 2 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A moment in this browser's time zone, to the minute. */
export function moment(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? EMPTY : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** A text that every file system takes as a name. */
export const fileName = (text) => text.normalize("NFKD").replace(/[^\w.+-]+/g, "_").replace(/^[_.]+|_+$/g, "").slice(0, 60) || "galaxy";

/** How likely, in words. */
export function likelihood(value) {
  if (value === null || value === undefined) return "unknown";
  const words = [[0.1, "very unlikely"], [0.3, "unlikely"], [0.5, "possibly"], [0.8, "likely"]];
  return (words.find(([limit]) => value < limit) ?? [1, "very likely"])[1];
}
