// The standards that a galaxy is compared with. A lattice begins at a random offset, so that answers don't pile up.

export const COARSE = 5;
export const FINE = 1;
export const NINE = 9;
const REAL_WITHIN = 1;

const nearest = (standards, wanted) => standards.reduce((best, one) => (Math.abs(one.truth_deg - wanted) < Math.abs(best.truth_deg - wanted) ? one : best));

/** Standards a step apart over the whole range; the board shows nine of them. Real ones are too uncertain for step two. */
export function lattice(standards, step, lowest, highest, random = Math.random) {
  const simulated = standards.filter((one) => one.stdev_deg === 0);
  const real = step === COARSE ? standards.filter((one) => one.stdev_deg > 0) : [];
  const start = lowest + random() * step;
  const wanted = Array.from({ length: Math.floor((highest - lowest) / step) }, (_, n) => start + n * step);
  return [...new Set(wanted.map((deg) => {
    const near = real.filter((one) => Math.abs(one.truth_deg - deg) < REAL_WITHIN);
    return near.length > 0 ? near[Math.floor(random() * near.length)] : nearest(simulated, deg);
  }))];
}

/** The inclination of a place: between its neighbours, or half a step beyond the outermost. */
export function inclination(standards, place, step) {
  const before = standards[place - 1]?.truth_deg ?? standards[0].truth_deg - step;
  const after = standards[place]?.truth_deg ?? standards.at(-1).truth_deg + step;
  return Math.min(90, Math.max(0, (before + after) / 2));
}

/** The place among the standards at which an inclination stands. */
export const placeOf = (standards, wanted) => standards.filter((one) => one.truth_deg < wanted).length;
