// The standards that a galaxy is compared with. A lattice begins at a random offset, so that answers don't pile up.

export const COARSE = 5;
export const FINE = 1;
export const NINE = 9;

/** The standards nearest to so many inclinations a step apart, the first of them at `start`; none twice. */
function from(standards, start, step, count) {
  const near = (wanted) => standards.reduce((best, one) => (Math.abs(one.truth_deg - wanted) < Math.abs(best.truth_deg - wanted) ? one : best));
  return [...new Set(Array.from({ length: count }, (_, n) => near(start + n * step)))];
}

/** Step one: standards five degrees apart over the whole range. */
export function coarse(standards, lowest, highest, random = Math.random) {
  return from(standards, lowest + random() * COARSE, COARSE, Math.max(1, Math.floor((highest - lowest) / COARSE)));
}

/** Step two: nine standards one degree apart around a place. */
export function fine(standards, around, lowest, highest, random = Math.random) {
  const half = ((NINE - 1) / 2) * FINE;
  return from(standards, Math.min(Math.max(around - half, lowest), highest - 2 * half - FINE) + random() * FINE, FINE, NINE);
}

/** The inclination of a place: between its neighbours, or half a step beyond the outermost. */
export function inclination(lattice, place, step) {
  const before = lattice[place - 1]?.truth_deg ?? lattice[0].truth_deg - step;
  const after = lattice[place]?.truth_deg ?? lattice.at(-1).truth_deg + step;
  return Math.min(90, Math.max(0, (before + after) / 2));
}

/** The place among the standards at which an inclination stands. */
export const placeOf = (lattice, wanted) => lattice.filter((one) => one.truth_deg < wanted).length;
