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

/** An interval, such as 58.4°–63.1°. */
export const interval = ({ low, high }, digits = 1) => `${degrees(low, digits)}–${degrees(high, digits)}`;

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
