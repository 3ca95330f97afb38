// Ask the zoo. Who measures is known by a key (this tab), or by a token that this browser keeps.

import { hasKey, withKey } from "../web/key.js";

const TOKEN = "inclinet.zoo.token";
const REFUSED = 401;

let memory = null;

function token() {
  try {
    return localStorage.getItem(TOKEN) ?? memory;
  } catch {
    return memory;
  }
}

function keep(text) {
  memory = text;
  try {
    if (text === null) localStorage.removeItem(TOKEN);
    else localStorage.setItem(TOKEN, text);
  } catch {
    // storage switched off: the token holds until the page is left
  }
}

/** A failure: `status` 0 where nothing was answered, else the problem's; the message is a sentence. */
export class ZooError extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same may be answered otherwise in a moment. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Ask, and return the response; throws a ZooError. */
export async function ask(path, { method = "GET", json, body } = {}) {
  const headers = hasKey() ? withKey() : token() ? { authorization: `Bearer ${token()}` } : {};
  if (json !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: json === undefined ? body : JSON.stringify(json) });
  } catch {
    throw new ZooError(0, "The zoo can’t be reached.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get("retry-after")) || 0;
  throw new ZooError(response.status, problem.detail ?? `The zoo answered ${response.status}.`, wait);
}

/** Ask, and return the JSON of the answer. */
export const asked = async (path, options) => (await ask(path, options)).json();

/** Return what is known of the person, who is made when there is none. */
export async function me(project = "") {
  const path = `api/me${project ? `?project=${encodeURIComponent(project)}` : ""}`;
  if (!hasKey() && token() === null) keep((await asked("api/people", { method: "POST" })).token);
  try {
    return await asked(path);
  } catch (error) {
    if (error.status !== REFUSED || hasKey()) throw error;
    // the zoo forgot this browser, or another database stands behind it
    keep((await asked("api/people", { method: "POST" })).token);
    return asked(path);
  }
}

/** Cut the link between this browser and what was measured in it. */
export async function forget() {
  await ask("api/me", { method: "DELETE" });
  keep(null);
}

/** The project that the address names. */
export const project = new URLSearchParams(location.search).get("project") ?? "";

/** The address of something of the project. */
export const ofProject = (rest = "") => `api/projects/${encodeURIComponent(project)}${rest}`;
