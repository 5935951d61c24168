// While a member is muted, a text with the end time replaces the composer. The composer and its draft come back by
// themselves. The server already renders the page this way (templates/partials/composer.html).

import { t } from "../words/words.js";

// A timer can wait at most 24 days, and may not run while the page is hidden.
const LOOK_AGAIN_MS = 3_600_000;

let words = null;

// Called when room.mutedUntil_ms was set, even if it is unchanged. `isNews`: an administrator has set it just now.
export function show(room, isNews) {
  words ??= new MutedWords(room, document.getElementById("composer"));
  words.draw();
  if (isNews && room.isMuted()) room.toast(t("muted_until", { time: words.end }));
}

class MutedWords {
  #room;
  #form;
  #node;
  #isShown;
  #timer = 0;

  constructor(room, form) {
    this.#room = room;
    this.#form = form;
    this.#node = form.querySelector(".composer-muted");
    this.#isShown = !this.#node.hidden;
    document.addEventListener("visibilitychange", () => this.draw());
  }

  // "18:30", with the day if it is not today.
  get end() {
    const { dates, mutedUntil_ms } = this.#room;
    const now_ms = this.#room.now();
    const isToday = dates.dayKey(mutedUntil_ms) === dates.dayKey(now_ms);
    return `${isToday ? "" : `${dates.dayName(mutedUntil_ms, now_ms)} `}${dates.time(mutedUntil_ms)}`;
  }

  draw() {
    clearTimeout(this.#timer);
    const { mutedUntil_ms } = this.#room;
    const isMuted = this.#room.isMuted();
    // The card of the ordering window offers no order (css/room/window.css).
    document.documentElement.toggleAttribute("data-muted", isMuted);
    if (isMuted) {
      this.#node.querySelector("time").textContent = this.end;
      this.#timer = setTimeout(() => this.draw(), Math.min(mutedUntil_ms - this.#room.now(), LOOK_AGAIN_MS));
    }
    if (isMuted !== this.#isShown) this.#swap(isMuted);
  }

  // Shows either the composer or the text. The focus moves to the part that is shown.
  #swap(isMuted) {
    const { composer, toast } = this.#room;
    const hadFocus = this.#form.contains(document.activeElement);
    this.#isShown = isMuted;
    this.#node.hidden = !isMuted;
    this.#form.classList.toggle("composer--muted", isMuted);
    for (const presets of document.querySelectorAll("[data-presets]")) presets.hidden = isMuted;
    if (isMuted && hadFocus) this.#node.focus();
    if (isMuted) return;
    composer.draw();
    if (hadFocus) composer.focus();
    toast(t("unmuted"));
  }
}
