// Uploads: loaded when a picture is chosen, or if texts must go over HTTP.

import { headers, noNetwork, Refused, resultOf } from "./http.js";

// Two timeouts: for the next byte while a body is sent, and for the answer after the body was sent. Sent bytes may
// still wait in the device, and the picture may wait in the server's queue.
const STALLED_MS = 20_000;
const UNANSWERED_MS = 45_000;
// Perhaps the connection is only slow, so the timeouts grow with each attempt, up to this factor.
const PATIENCE_MAX = 4;

// A multipart POST with `progress(part)` from 0 to 1 and an `abort()` on the promise. It is an XMLHttpRequest
// because fetch does not report how much of a body has been sent. A timeout is refused as "stalled".
// `attempt` counts from 1.
export function upload(path, fields, progress = () => {}, attempt = 1) {
  const request = new XMLHttpRequest();
  const patience = Math.min(attempt, PATIENCE_MAX);
  let timer = 0;
  let isStalled = false;
  const wait = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isStalled = true;
      request.abort();
    }, ms * patience);
  };
  const done = new Promise((resolve, reject) => {
    request.open("POST", path);
    request.responseType = "text";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      wait(STALLED_MS);
      if (event.lengthComputable) progress(Math.min(0.99, event.loaded / event.total));
    };
    request.upload.onload = () => {
      wait(UNANSWERED_MS);
      progress(1);
    };
    request.onload = () => {
      try {
        resolve(resultOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      } catch (refused) {
        reject(refused);
      }
    };
    request.onerror = () => reject(noNetwork());
    request.onabort = () => reject(new Refused(0, { code: isStalled ? "stalled" : "aborted", message: "" }));
    request.onloadend = () => clearTimeout(timer);
    wait(STALLED_MS);
    request.send(formOf(fields));
  });
  return Object.assign(done, { abort: () => request.abort() });
}

// The server checks the token before it accepts a file, so the token comes first.
function formOf(fields) {
  const form = new FormData();
  form.append("csrf_token", document.querySelector('meta[name="csrf-token"]').content);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined) continue;
    if (value.blob) form.append(name, value.blob, value.name);
    else form.append(name, value);
  }
  return form;
}
