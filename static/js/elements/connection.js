// The dot that says whether the room is really there, and the banner: for when it stays away, and
// for a new version of this page, which is offered and never forced.

import { t } from "../words/words.js";
import { button, iconButton } from "./dom.js";

const PATIENCE_MS = 5000;

export class ConnectionView {
  #room;
  #timer = 0;
  #patient = true;
  #declined = false;

  constructor(room, { dot, banner }) {
    this.#room = room;
    this.dot = dot;
    this.banner = banner;
    room.socket.addEventListener("state", () => this.#changed());
    room.outbox?.addEventListener("change", () => this.#drawBanner());
    this.#changed();
  }

  #changed() {
    const { state, ended } = this.#room.socket;
    this.dot.dataset.state = state;
    this.dot.querySelector(".connection-label").textContent = t(`connection_${state}`);
    this.dot.title = t(`connection_${state}`);
    if (state === "online") {
      this.#room.fromCopy = false;
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#patient = true;
    } else if (ended || this.#room.fromCopy) {
      this.#patient = false;
    } else if (!this.#timer) {
      this.#timer = setTimeout(() => {
        this.#patient = false;
        this.#drawBanner();
      }, PATIENCE_MS);
    }
    this.#drawBanner();
  }

  #drawBanner() {
    const [words, label, act] = this.#sentence(this.#room, unsentOf(this.#room.outbox));
    this.banner.hidden = !words;
    if (this.banner.dataset.words === words) return;
    this.banner.dataset.words = words;
    if (!words) return;
    this.banner.querySelector(".banner-words").textContent = words;
    this.banner.querySelector(".banner-act").replaceChildren(button("button button--small", label, act));
    const isOffer = words === t("new_version");
    this.banner.classList.toggle("banner--offer", isOffer);
    if (isOffer) this.banner.querySelector(".banner-act").append(this.#later());
  }

  #later() {
    return iconButton("side-button", "close", t("later"), () => {
      this.#declined = true;
      this.#drawBanner();
    });
  }

  #sentence({ socket, staleReader, newVersion, fromCopy }, unsent) {
    if (socket.ended === "banned") return [t("banned"), t("reload"), () => location.reload()];
    if (socket.ended) return [t("logged_out"), t("login"), () => location.assign("/login/?next=/")];
    if (staleReader) return [t("other_reader"), t("reload"), () => location.reload()];
    if (socket.state === "online" && newVersion && !this.#declined) return [t("new_version"), t("reload"), () => location.reload()];
    if (socket.state === "online" || this.#patient) return [""];
    const words = fromCopy ? t("offline_copy") : t("offline");
    return [unsent ? t("offline_unsent", { count: unsent }) : words, t("retry_now"), () => socket.retryNow()];
  }
}

// What will go by itself once the line is back; a refused message will not.
function unsentOf(outbox) {
  return outbox?.entries.filter(({ state }) => state !== "failed").length ?? 0;
}
