// The galaxies that come next: three are loaded ahead, pictures and all.

import { ask, asked, ofProject } from "./client.js";

const AHEAD = 3;

/** Galaxies with their pictures, in the order in which they were given. */
export class Galaxies {
  constructor(tell) {
    this.ready = [];
    this.gone = new Set();
    this.over = false;
    this.tell = tell;
    this.filling = null;
  }

  /** Take the next one; null when there is none yet, or none at all. */
  take() {
    const next = this.ready.shift() ?? null;
    if (next) this.gone.add(next.lease);
    return next;
  }

  /** Put one back to the front. */
  back(galaxy) {
    this.ready.unshift(galaxy);
  }

  /** Load until three are ready. `answered` are leases whose answers still wait to be sent. */
  fill(answered) {
    this.filling ??= this.load(answered).finally(() => { this.filling = null; });
    return this.filling;
  }

  async load(answered) {
    const given = await asked(ofProject("/next?count=4"), { method: "POST" });
    const known = new Set([...this.gone, ...answered, ...this.ready.map(({ lease }) => lease)]);
    const fresh = given.filter(({ lease }) => !known.has(lease)).slice(0, AHEAD - this.ready.length);
    this.over = given.length === 0;
    for (const galaxy of fresh) {
      try {
        const picture = await ask(galaxy.picture);
        this.ready.push({ ...galaxy, url: URL.createObjectURL(await picture.blob()) });
      } catch (error) {
        if (error.passing) throw error;
        this.gone.add(galaxy.lease);
        await this.tell(galaxy, error);
      }
    }
  }

  /** Free the memory of a picture that is not shown again. */
  static free(galaxy) {
    URL.revokeObjectURL(galaxy.url);
  }
}
