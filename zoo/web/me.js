// A person's page: how far, how well, and how to be forgotten.

import { button, h, one } from "../web/dom.js";
import { forget, me, project } from "./client.js";
import { deg, fail, frame, table } from "./frame.js";

frame("me");
const known = await me(project).catch(fail);
const counted = known.quarantined ? "A moderator has your measurements set aside." : known.counted ? "Your measurements count." : "Your measurements count once you have been calibrated.";
one("#page").append(
  h("p", {}, known.name ? `You measure as ${known.name}.` : "You measure without a name: this browser keeps a random token."),
  h("p", {}, counted),
  table("What is known of you", ["", ""], [
    ["Measurements", String(known.measured)],
    ["Practice galaxies left", String(known.practice_left)],
    ["Galaxies until you are calibrated", String(known.standards_left)],
    ["Bias: how much too high you read at 67.5°", deg(known.bias_deg)],
    ["Slope: how much more with each degree", known.slope === null ? "–" : known.slope.toFixed(3)],
    ["Scatter, in units of the usual one", known.scatter === null ? "–" : known.scatter.toFixed(2)],
  ]),
  h("p", { class: "muted" }, "Bias and slope are taken out of your measurements before labels are made. They are no school marks."),
  h("h2", {}, "Forget me"),
  h("p", {}, "This cuts the link between this browser (or your key) and your measurements. They stay, by nobody; you can’t come back to them."),
  button("Forget me", async () => {
    await forget().catch(fail);
    one("#page").replaceChildren(h("p", { class: "card", role: "status" }, "You are forgotten."));
  }, { class: "danger" }));
