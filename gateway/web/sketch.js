// A spiral galaxy drawn by the page itself, to try the service without any file or other service at hand.

import { canvas, generator } from "./background.js";

const SIDE = 256;
const INCLINATION_DEG = 60;
const POSITION_ANGLE_DEG = 28;
const SCALE = 0.09;
const PITCH = 0.2;
const SEED = 20211;

/** Light of the disc and its arms, and of the bulge, at a place in the plane of the picture (1 is its side). */
function light(x, y) {
  const cosine = Math.cos((INCLINATION_DEG * Math.PI) / 180);
  const turn = (POSITION_ANGLE_DEG * Math.PI) / 180;
  const along = x * Math.cos(turn) + y * Math.sin(turn);
  const across = (y * Math.cos(turn) - x * Math.sin(turn)) / cosine;
  const radius = Math.hypot(along, across) + 1e-4;
  const phase = 2 * (Math.atan2(across, along) - Math.log(radius / SCALE) / PITCH);
  const contrast = 0.4 * (1 - Math.exp(-((radius / SCALE) ** 2)));
  const arms = 1 + contrast * Math.cos(phase) + 0.25 * contrast * Math.cos(2 * phase + 1);
  const edge = 1 / (1 + Math.exp((radius - 0.4) / 0.02));
  const dust = 1 - 0.3 * Math.exp(-((across / 0.05 - 0.9) ** 2)) * Math.exp(-radius / 0.2);
  return { disc: Math.exp(-radius / SCALE) * arms * edge * dust, bulge: 1.6 * Math.exp(-Math.sqrt(x * x + y * y) / 0.013), blue: contrast * Math.cos(phase) };
}

/** The drawing as a PNG file. */
export async function drawnGalaxy() {
  const drawn = canvas(SIDE, SIDE);
  const context = drawn.getContext("2d");
  const pixels = context.createImageData(SIDE, SIDE);
  const random = generator(SEED);
  const stars = Array.from({ length: 16 }, () => ({ x: random() - 0.5, y: random() - 0.5, flux: 0.05 + 0.9 * random() ** 4 }));
  for (let index = 0; index < SIDE * SIDE; index += 1) {
    const x = ((index % SIDE) + 0.5) / SIDE - 0.5;
    const y = (Math.floor(index / SIDE) + 0.5) / SIDE - 0.5;
    const { disc, bulge, blue } = light(x, y);
    const star = stars.reduce((sum, one) => sum + one.flux * Math.exp(-(((x - one.x) ** 2 + (y - one.y) ** 2) / 2.2e-5)), 0);
    const planes = [0.92 * disc * (1 - 0.12 * blue) + bulge, disc * 0.95 + 0.85 * bulge, disc * (1 + 0.22 * blue) + 0.6 * bulge];
    planes.forEach((value, plane) => {
      pixels.data[4 * index + plane] = 255 * Math.min(1, Math.asinh(9 * (value + star)) / Math.asinh(11)) + 9 + 7 * (random() + random() - 1);
    });
    pixels.data[4 * index + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  const blob = await new Promise((resolve) => drawn.toBlob(resolve, "image/png"));
  return new File([blob], "drawn galaxy.png", { type: "image/png" });
}
