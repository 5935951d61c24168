// Notifications and a sound, for mentions, for other messages and for the opening of an ordering window.
// Each has a switch in the member's own menu. Both are off until they are switched on, and this browser
// keeps the choice. The browser's permission is requested by that click and never before.

import { snippet } from "../elements/dom.js";
import { arrivedUnread, postedByOthers } from "../models/timeline.js";
import { t } from "../words/words.js";

const TOLD_MAX = 50;

export function start(room) {
  const switches = new Switches(room);
  const isAway = () => document.hidden || !document.hasFocus();
  const onChange = ({ detail }) => {
    // Orders cause no notification, because a window brings hundreds of them, and none needs an answer.
    const others = postedByOthers(detail, room.me).filter(({ kind }) => kind !== "order");
    const mentions = others.filter((message) => room.mentions(message).length > 0);
    const mention = mentions[mentions.length - 1];
    if (mention && isAway()) switches.notifyMention(mention);
    switches.closeGone();
    for (const message of detail.textChanged ?? []) switches.followText(message, isAway());
    if (mention || (others.length && isAway())) switches.playSound();
  };
  room.timeline.addEventListener("change", onChange);
  onChange({ detail: { posted: arrivedUnread(room) } });
  let lastId = room.page.window?.id;
  const onWindow = () => {
    const { current, isOpen } = room.window;
    // If only the deadline of a window moves, the window keeps its id.
    if (!isOpen || current.id === lastId) return;
    lastId = current.id;
    if (isAway()) switches.notifyOrdering(current);
    switches.playSound();
  };
  room.window.addEventListener("change", onWindow);
  onWindow();
}

class Switches {
  #room;
  #sound = null;
  // Message id -> promise of its notification, or of null if the service worker shows it.
  #told = new Map();

  constructor(room) {
    this.#room = room;
    this.#listen("sound", (on) => {
      if (on) this.#play();
      return true;
    });
    this.#listen("notify", async (on) => {
      if (!on || (await Notification.requestPermission()) === "granted") return true;
      room.toast(t("notify_denied"));
      return false;
    });
    // WeChat's browser has no notifications, and Safari on a phone has them only in an installed page.
    if (!globalThis.Notification) this.#button("notify")?.remove();
    this.#draw();
  }

  notifyMention({ id, user, text, image }) {
    this.#told.set(id, this.#notify(t("mentioned_by", { name: user }), text ? snippet(text, 120) : image ? t("picture") : "", `message-${id}`));
    if (this.#told.size > TOLD_MAX) this.#told.delete(this.#told.keys().next().value);
  }

  // Closes the notifications of messages that were recalled or deleted.
  closeGone() {
    for (const id of [...this.#told.keys()]) if (this.#room.timeline.isGone(id)) this.#close(id);
  }

  // Shows the new text of a message if it mentions the member; else closes its notification.
  followText(message, isAway) {
    const { me, mentions } = this.#room;
    const isMention = message.user_id !== me?.id && message.kind !== "order" && mentions(message).length > 0;
    if (isMention && isAway) this.notifyMention(message);
    else if (this.#told.has(message.id)) this.#close(message.id);
  }

  async #close(id) {
    const shown = this.#told.get(id);
    this.#told.delete(id);
    (await shown)?.close();
    const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    for (const each of (await worker?.getNotifications({ tag: `message-${id}` })) ?? []) each.close();
  }

  notifyOrdering({ id, by, planned }) {
    const whose = planned ? t("planned_by", { name: by }) : t("opened_by", { name: by });
    this.#notify(t("preset_start"), whose, `window-${id}`);
  }

  playSound() {
    if (this.#isOn("sound")) this.#play();
  }

  async #play() {
    const { play } = (this.#sound ??= await import("./sound.js"));
    play();
  }

  // The service worker shows the notification if there is one, because browsers on phones allow nothing else. Resolves
  // to the notification if this page shows it itself, else to null.
  async #notify(title, body, tag) {
    if (!this.#isOn("notify")) return null;
    const options = { body, tag, icon: document.querySelector('link[rel="apple-touch-icon"]').href };
    const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    try {
      if (worker?.active) {
        await worker.showNotification(title, options);
        return null;
      }
      const shown = new Notification(title, options);
      shown.addEventListener("click", () => focus());
      return shown;
    } catch {
      return null; // the number in the title still shows the message
    }
  }

  // `changed(on)` returns whether the browser allows it, or a promise of that.
  #listen(name, changed) {
    this.#button(name)?.addEventListener("click", async () => {
      const on = !this.#isOn(name);
      if (!(await changed(on))) return;
      store(this.#key(name), on);
      this.#draw();
    });
  }

  #draw() {
    for (const name of ["sound", "notify"]) this.#button(name)?.setAttribute("aria-checked", String(this.#isOn(name)));
  }

  #isOn(name) {
    if (name === "notify" && globalThis.Notification?.permission !== "granted") return false;
    return stored(this.#key(name));
  }

  #key(name) {
    return `${name}:${this.#room.me?.id ?? 0}`;
  }

  #button(name) {
    return document.querySelector(`[data-switch=${name}]`);
  }
}

function stored(key) {
  try {
    return localStorage.getItem(key) === "on";
  } catch {
    return false;
  }
}

function store(key, on) {
  try {
    if (on) localStorage.setItem(key, "on");
    else localStorage.removeItem(key);
  } catch {
    // Storage is forbidden, so the switch stays off.
  }
}
