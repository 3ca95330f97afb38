// How far people agree: with each other, with themselves, with networks.

import { h, one } from "../web/dom.js";
import { asked, me, ofProject } from "./client.js";
import { deg, fail, frame, table } from "./frame.js";

frame("results");
await me().catch(fail);
const [found, project] = await Promise.all([asked(ofProject("/agreement")), asked(ofProject())]).catch(fail);
const KINDS = [["one_to_one", "One person against another"], ["groups", "Labels of two groups of three, nobody in both"], ["retests", "The same person a second time"], ["networks", "People against networks"]];
one("#page").append(
  h("p", {}, `${project.title}: ${project.done} of ${project.targets} galaxies done, ${project.measurements} measurements by ${project.people} people.`),
  h("p", {}, found.label_noise_deg === null ? "Too few galaxies have been measured by six people to tell how noisy a label is." : `A label is uncertain by ${deg(found.label_noise_deg)} of its own (${Math.round(found.groups.galaxies)} galaxies measured by two groups).`),
  table("Differences, nothing left out", ["", "rms", "mean", "galaxies"], KINDS.map(([name, text]) => [text, deg(found[name].rms_deg), deg(found[name].bias_deg), String(Math.round(found[name].galaxies))])),
  ...KINDS.filter(([name]) => found[name].galaxies > 0).map(([name, text]) =>
    table(`${text}, by inclination`, ["inclination", "rms", "mean", "galaxies"], found[name].bins.map((bin) => [`${bin.from_deg.toFixed(0)}–${bin.to_deg.toFixed(0)}°`, deg(bin.rms_deg), deg(bin.bias_deg), String(Math.round(bin.galaxies))]))));
