// The sky of a picture, to fill what turning and shrinking leave bare: its level and its noise. A flat fill would make
// the picture look quieter than it is, and the fitted isophote larger.

const READ_SIDE = 512;
const TILE = 128;
const SIGMA_OF_MAD = 1.4826;

/** Pseudo-random numbers 0..1, the same at every call with the same seed (a linear congruential generator). */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A canvas of a size. */
export const canvas = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

const median = (values) => values.sort((one, other) => one - other)[values.length >> 1] ?? 0;

/** Level and noise of each plane in the frame of an image, a sixteenth wide, by median and absolute deviation. */
function skyOf(image) {
  const scale = Math.min(1, READ_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth, image.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const context = canvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const border = Math.max(2, Math.min(width, height) >> 4);
  const planes = [[], [], []];
  for (let y = 0; y < height; y += 1) {
    const inside = y >= border && y < height - border;
    for (let x = 0; x < width; x += inside && x === border - 1 ? Math.max(1, width - 2 * border) : 1) {
      const at = 4 * (y * width + x);
      if (data[at + 3] > 127) planes.forEach((plane, index) => plane.push(data[at + index]));
    }
  }
  return planes.map((values) => {
    const level = median(values);
    return { level, noise: SIGMA_OF_MAD * median(values.map((value) => Math.abs(value - level))) };
  });
}

/** A tile of the sky of an image, one of its pixels a pixel of the image. */
export function skyTile(image) {
  const sky = skyOf(image);
  const random = generator(1);
  const tile = canvas(TILE, TILE);
  const context = tile.getContext("2d");
  const pixels = context.createImageData(TILE, TILE);
  for (let at = 0; at < pixels.data.length; at += 4) {
    // the sum of three uniform numbers, with the variance of a normal one
    sky.forEach(({ level, noise }, plane) => {
      pixels.data[at + plane] = level + noise * 2 * (random() + random() + random() - 1.5);
    });
    pixels.data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return tile;
}
