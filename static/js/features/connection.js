// The state of the connection: the dot in the header, and the banner after some seconds without a
// connection. The banner also offers a new version of the page.

import { t } from "../words/words.js";
import { button, iconButton } from "../elements/dom.js";

const BANNER_AFTER_MS = 5000;

export function start(room) {
  new ConnectionView(room, { dot: document.getElementById("connection"), banner: document.getElementById("banner") });
}

class ConnectionView {
  #room;
  #timer = 0;
  #waiting = true;
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
      this.#room.fromOfflineCopy = false;
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#waiting = true;
    } else if (ended || this.#room.fromOfflineCopy) {
      this.#waiting = false;
    } else if (!this.#timer) {
      this.#timer = setTimeout(() => {
        this.#waiting = false;
        this.#drawBanner();
      }, BANNER_AFTER_MS);
    }
    this.#drawBanner();
  }

  #drawBanner() {
    const [text, label, act] = this.#content(this.#room, unsentOf(this.#room.outbox));
    this.banner.hidden = !text;
    if (this.banner.dataset.text === text) return;
    this.banner.dataset.text = text;
    if (!text) return;
    this.banner.querySelector(".banner-words").textContent = text;
    this.banner.querySelector(".banner-act").replaceChildren(button("button button--small", label, act));
    const isOffer = text === t("new_version");
    this.banner.classList.toggle("banner--offer", isOffer);
    if (isOffer) this.banner.querySelector(".banner-act").append(this.#later());
  }

  #later() {
    return iconButton("side-button", "close", t("later"), () => {
      this.#declined = true;
      this.#drawBanner();
    });
  }

  #content({ socket, userChanged, newVersion, fromOfflineCopy }, unsent) {
    if (socket.ended === "banned") return [t("banned"), t("reload"), () => location.reload()];
    if (socket.ended) return [t("logged_out"), t("login"), () => location.assign("/login/?next=/")];
    if (userChanged) return [t("other_reader"), t("reload"), () => location.reload()];
    if (socket.state === "online" && newVersion && !this.#declined) return [t("new_version"), t("reload"), () => location.reload()];
    if (socket.state === "online" || this.#waiting) return [""];
    const text = fromOfflineCopy ? t("offline_copy") : t("offline");
    return [unsent ? t("offline_unsent", { count: unsent }) : text, t("retry_now"), () => socket.retryNow()];
  }
}

// The number of messages that will be sent after reconnecting. Refused messages do not count, because they are not
// sent.
function unsentOf(outbox) {
  return outbox?.entries.filter(({ state }) => state !== "failed").length ?? 0;
}
