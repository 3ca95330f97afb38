// The standards that a galaxy is compared with. A lattice begins at a random offset, so that answers don't pile up.

export const COARSE = 5;
export const FINE = 1;
export const NINE = 9;

/** One standard near each inclination, any of those within half a degree; none twice. */
function near(standards, inclinations, random) {
  const used = new Set();
  return inclinations.map((wanted) => {
    const free = standards.filter(({ id }) => !used.has(id));
    const nearest = Math.min(...free.map((one) => Math.abs(one.truth_deg - wanted)));
    const close = free.filter((one) => Math.abs(one.truth_deg - wanted) <= Math.max(0.5, nearest));
    const chosen = close[Math.floor(random() * close.length)];
    used.add(chosen.id);
    return chosen;
  }).sort((a, b) => a.truth_deg - b.truth_deg);
}

/** Step one: standards five degrees apart over the whole range. */
export function coarse(standards, lowest, highest, random = Math.random) {
  const offset = random() * COARSE;
  const count = Math.max(1, Math.floor((highest - lowest) / COARSE));
  return near(standards, Array.from({ length: count }, (_, n) => lowest + offset + n * COARSE), random);
}

/** Step two: nine standards one degree apart around a place. */
export function fine(standards, around, lowest, highest, random = Math.random) {
  const half = ((NINE - 1) / 2) * FINE;
  const middle = Math.min(Math.max(around, lowest + half), highest - half) + random() - 0.5;
  return near(standards, Array.from({ length: NINE }, (_, n) => middle - half + n * FINE), random);
}

/** The inclination of a place: between its neighbours, or half a step beyond the outermost. */
export function inclination(lattice, place, step) {
  const before = lattice[place - 1]?.truth_deg ?? lattice[0].truth_deg - step;
  const after = lattice[place]?.truth_deg ?? lattice.at(-1).truth_deg + step;
  return Math.min(90, Math.max(0, (before + after) / 2));
}

/** The place among the standards at which an inclination stands. */
export const placeOf = (lattice, wanted) => lattice.filter((one) => one.truth_deg < wanted).length;
