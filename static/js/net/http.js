// Requests over HTTP. Every failure becomes a Refused: a refusal of the server, a proxy's error page, no network.

import { t } from "../words/words.js";

export class Refused extends Error {
  // `details`: the whole `error` object of the answer.
  constructor(status, { code, message, retry_after_ms, details = {} }) {
    super(message);
    this.status = status;
    this.code = code;
    this.retry_after_ms = retry_after_ms;
    this.details = details;
  }
}

export function getJSON(path) {
  return call("GET", path);
}

export function postJSON(path, body = {}) {
  return call("POST", path, JSON.stringify(body), { "Content-Type": "application/json" });
}

async function call(method, path, body, extra = {}) {
  let response;
  try {
    response = await fetch(path, { method, body, headers: { ...headers(), ...extra } });
  } catch {
    throw noNetwork();
  }
  return resultOf(response.status, await response.text(), response.headers.get("Retry-After"));
}

export function headers() {
  return {
    Accept: "application/json",
    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
  };
}

export function resultOf(status, text, retry_after) {
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: a proxy's own error page. Its status decides.
  }
  if (status >= 200 && status < 300 && body) return body;
  const error = body?.error ?? {};
  const seconds = Number(retry_after);
  throw new Refused(status, {
    code: error.code ?? (status === 503 || status === 502 || status === 504 ? "busy" : status === 413 ? "image_too_large" : "internal"),
    message: error.message ?? (status === 413 ? t("failed_too_large") : t("failed_status", { status })),
    details: error,
    retry_after_ms: error.retry_after_ms ?? (seconds > 0 ? seconds * 1000 : undefined),
  });
}

export function noNetwork() {
  return new Refused(0, { code: "offline", message: t("failed_offline") });
}
