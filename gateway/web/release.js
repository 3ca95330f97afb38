// The model release: the line at the foot of the page.

import { get } from "./api.js";
import { one } from "./dom.js";
import { degrees, number } from "./format.js";

let asked = null;

let refused = false;

/** What the API says of its models, or null while the networks don't answer; then the next one to ask asks again. */
function models() {
  asked ??= get("api/models").catch((problem) => {
    refused = problem.status === 401;
    return (asked = null);
  });
  return asked;
}

/** Say at the foot of the page which release answers, and how well it does. */
export async function showRelease() {
  const known = await models();
  const line = one("#release");
  if (!known) {
    line.textContent = refused
      ? "This service answers holders of a key: it asks for yours with the first question."
      : "The networks don’t answer at the moment: the service may be starting.";
    return;
  }
  const flavors = known.models.filter((model) => model.kind === "flavor");
  const ready = flavors.filter((model) => model.versions.some((version) => version.state === "AVAILABLE"));
  const { rms_deg: rms } = known.metrics;
  line.textContent = [
    `Model release ${known.release}`,
    `${ready.length} of ${flavors.length} networks ready`,
    rms === undefined ? null : `${degrees(rms)} rms against people’s measurements on galaxies kept from all networks`,
    `they can say ${number(known.label_range_deg[0], 0)}° to ${degrees(known.label_range_deg[1], 0)}`,
  ].filter(Boolean).join(" · ");
}
