// The two switches of the own menu, notifications and sound: both off until they are pressed, and
// remembered by this browser. A browser is asked for its permission by that press and never before.

import { snippet } from "../models/text.js";
import { t } from "../words/words.js";

export class Switches {
  #room;
  #sound = null;

  constructor(room) {
    this.#room = room;
    this.#wire("sound", (on) => {
      if (on) this.#play();
      return true;
    });
    this.#wire("notify", async (on) => {
      if (!on || (await Notification.requestPermission()) === "granted") return true;
      room.say(t("notify_denied"));
      return false;
    });
    // WeChat's browser, and Safari on a phone outside of an installed page, have none.
    if (!globalThis.Notification) this.#button("notify")?.remove();
    this.#draw();
  }

  notifyMention({ id, user, text, image }) {
    this.#notify(t("mentioned_by", { name: user }), text ? snippet(text, 120) : image ? t("picture") : "", `message-${id}`);
  }

  notifyOrdering({ id, by }) {
    this.#notify(t("preset_start"), t("opened_by", { name: by }), `window-${id}`);
  }

  ring() {
    if (this.#isOn("sound")) this.#play();
  }

  async #play() {
    const { ring } = (this.#sound ??= await import("./sound.js"));
    ring();
  }

  // Through the service worker where there is one: phones know no other way.
  async #notify(title, body, tag) {
    if (!this.#isOn("notify")) return;
    const options = { body, tag, icon: document.querySelector('link[rel="apple-touch-icon"]').href };
    const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    try {
      if (worker?.active) await worker.showNotification(title, options);
      else new Notification(title, options).addEventListener("click", () => focus());
    } catch {
      // The number in the title still says it.
    }
  }

  // `changed(on)` tells, or resolves to, whether the browser lets it be.
  #wire(name, changed) {
    this.#button(name)?.addEventListener("click", async () => {
      const on = !this.#isOn(name);
      if (!(await changed(on))) return;
      remember(this.#key(name), on);
      this.#draw();
    });
  }

  #draw() {
    for (const name of ["sound", "notify"]) this.#button(name)?.setAttribute("aria-checked", String(this.#isOn(name)));
  }

  #isOn(name) {
    if (name === "notify" && globalThis.Notification?.permission !== "granted") return false;
    return remembered(this.#key(name));
  }

  #key(name) {
    return `${name}:${this.#room.me?.id ?? 0}`;
  }

  #button(name) {
    return document.querySelector(`[data-switch=${name}]`);
  }
}

function remembered(key) {
  try {
    return localStorage.getItem(key) === "on";
  } catch {
    return false;
  }
}

function remember(key, on) {
  try {
    if (on) localStorage.setItem(key, "on");
    else localStorage.removeItem(key);
  } catch {
    // Where nothing may be kept, the switch holds for nobody: it stays off.
  }
}
