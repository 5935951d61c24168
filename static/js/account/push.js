// Turns push notifications on and off for this browser: asks for permission, subscribes at the browser's push service,
// and gives the address and keys of the subscription to the server.

import { registerWorker } from "../features/offline_copy.js";

const form = document.querySelector("[data-push]");
const button = form.querySelector('[type="submit"]');
const offButton = form.querySelector("[data-push-off]");
const refusal = form.querySelector('[role="alert"]');
const done = form.querySelector("[data-push-done]");

start();

async function start() {
  if (!navigator.serviceWorker || !globalThis.PushManager || !globalThis.Notification) {
    const unusable = document.querySelector("[data-push-unusable]");
    unusable.textContent = form.dataset.unsupported;
    unusable.hidden = false;
    return;
  }
  const current = await currentSubscription();
  // The browser has no subscription any more, or its subscription was made with another key of the server.
  if ("subscribed" in form.dataset && !current) await act({ off: true });
  draw(Boolean(current) && "subscribed" in form.dataset);
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(turnOn);
  });
  offButton.addEventListener("click", () => attempt(turnOff));
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(form.dataset.denied);
  await registerWorker();
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = (await currentSubscription()) ?? (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: serverKey() }));
  const { endpoint, keys } = subscription.toJSON();
  await act({ endpoint, p256dh: keys.p256dh, auth: keys.auth, ...wishes() });
  draw(true);
  return form.dataset.saved;
}

async function turnOff() {
  await act({ off: true });
  const current = await currentSubscription();
  await current?.unsubscribe();
  draw(false);
  return form.dataset.ended;
}

// The browser's subscription with the server's present key, or null. Ends a subscription with another key.
async function currentSubscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  const found = await registration?.pushManager.getSubscription();
  if (!found) return null;
  const key = found.options?.applicationServerKey;
  if (!key || sameBytes(new Uint8Array(key), serverKey())) return found;
  await found.unsubscribe();
  return null;
}

function serverKey() {
  const base64 = form.dataset.key.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function wishes() {
  const { opened, closes, named, words, quiet_from, quiet_to } = form.elements;
  return {
    opened: opened.checked, closes: closes.checked, named: named.checked, words: words.checked,
    quiet_from: quiet_from.value, quiet_to: quiet_to.value,
  };
}

async function attempt(work) {
  button.disabled = offButton.disabled = true;
  refusal.hidden = done.hidden = true;
  try {
    tell(done, await work());
  } catch (error) {
    // A DOMException has the browser's own text, in its own language, so the page shows its own sentence: no push
    // service was reached.
    tell(refusal, error instanceof DOMException || error instanceof TypeError ? form.dataset.failed : error.message);
  } finally {
    button.disabled = offButton.disabled = false;
  }
}

function tell(node, text) {
  node.textContent = text;
  node.hidden = false;
}

function draw(isOn) {
  button.textContent = isOn ? button.dataset.save : button.dataset.turnOn;
  offButton.hidden = !isOn;
}

async function act(body) {
  const response = await fetch("/push/", {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
    },
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error?.message ?? form.dataset.failed);
}
