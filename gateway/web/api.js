// The public API, and nothing else, is what this page talks to. Every failure becomes a Problem.

import { withKey } from "./key.js";

/** A failure with a sentence for a person: RFC 9457 as the gateway writes it, or the nearest to it. */
export class Problem extends Error {
  constructor(body, retryAfter = null) {
    super(body.detail);
    this.slug = String(body.type ?? "").split(":").pop();
    this.title = body.title ?? "Something went wrong";
    this.detail = body.detail ?? "";
    this.status = body.status ?? 0;
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

const unreachable = (detail) => new Problem({ type: "page:unreachable", title: "No answer from the service", detail });

/** An absolute address below the page, wherever a proxy has put it. */
export const address = (path) => new URL(path, document.baseURI).href;

function problemFrom(status, contentType, text, retryAfter) {
  if (/\bjson\b/.test(contentType ?? "")) {
    try {
      const body = JSON.parse(text);
      if (body && typeof body.detail === "string") return new Problem(body, seconds(retryAfter));
    } catch {
      // it said JSON and was none: fall through to what can be said of any such answer
    }
  }
  const title = "Not the service’s own answer";
  const detail = `Something between this page and the service answered with status ${status}.`;
  return new Problem({ type: "page:foreign", title, detail, status }, seconds(retryAfter));
}

const seconds = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

async function fetched(path, options) {
  let response;
  try {
    response = await fetch(address(path), { ...options, headers: withKey(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable("The service can’t be reached. It may be starting, or your connection is down.");
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  throw problemFrom(response.status, response.headers.get("content-type"), text, response.headers.get("retry-after"));
}

async function json(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw problemFrom(response.status, "", "");
  }
}

/** GET a path of the API and return its JSON. */
export const get = async (path, signal) => json(await fetched(path, { signal, headers: { accept: "application/json" } }));

/** POST a form whose answer is a stream. */
export const stream = (path, body, signal) => fetched(path, { method: "POST", body, signal });

/**
 * Measure an image file. XMLHttpRequest, because it alone tells how much of an upload is through.
 * `framing` says what of it is measured: {frame: "whole"}, {x, y, side}, or nothing, which leaves it to the service.
 * `sent` is called with 0..1 while the file is on its way.
 */
export function measure(file, { name, r, framing = {}, signal, sent = () => {} }) {
  const query = new URLSearchParams({ include: "model_input", ...(r ? { r } : {}), ...framing });
  const form = new FormData();
  form.append("file", file, name);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => request.abort());
    request.open("POST", address(`api/file?${query}`));
    for (const [name, value] of Object.entries(withKey())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.upload.onload = () => sent(1);
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onerror = () =>
      reject(unreachable("The connection broke off. The file may be larger than the service takes, or it is down."));
    request.onload = () => {
      const header = (key) => request.getResponseHeader(key);
      const failed = () => problemFrom(request.status, header("content-type"), request.responseText, header("retry-after"));
      if (request.status !== 200) return reject(failed());
      try {
        return resolve(JSON.parse(request.responseText));
      } catch {
        return reject(failed());
      }
    };
    request.send(form);
  });
}

let columns = null;

/** What the columns of tables mean: a map from their names to {kind, unit, ucd, description}. */
export function described() {
  columns ??= fetched("web/columns.json", {})
    .then(json)
    .then((listed) => new Map(listed.map((one) => [one.name, one])))
    .catch((error) => {
      columns = null;
      throw error;
    });
  return columns;
}
