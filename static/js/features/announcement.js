// The announcement: a picture in a dialog, whose buttons are hidden while there is no picture. It is fetched when it is
// opened. An announcement that is new since this browser's last visit opens by itself, once, when the reader is free;
// on a first visit its button is marked instead.

const FREE_CHECK_MS = 1000;

export function start(room) {
  const announcement = new Announcement(room);
  room.onHello((hello) => announcement.show(hello.announcement));
  room.onFrame("announcement", ({ image }) => announcement.show(image));
  // elements/dialogs.js opens the dialog as soon as it is loaded.
  new MutationObserver(() => announcement.onOpened()).observe(announcement.dialog, { attributeFilter: ["open"] });
  announcement.show(room.page.announcement);
}

class Announcement {
  #image = "";
  #timer = 0;

  constructor({ me }) {
    this.dialog = document.getElementById("announcement");
    this.memory = new Memory(`announcement:${me?.id ?? "guest"}`);
  }

  show(image) {
    this.#image = image;
    if (this.dialog.open && image) this.#load();
    else this.dialog.querySelector("img").removeAttribute("src");
    const { known } = this.memory.read();
    // In a browser without an earlier visit, the announcement is not new, so its button is only marked.
    if (known === undefined) this.memory.write({ known: image });
    this.#mark();
    if (known !== undefined && known !== image && image) this.#openWhenFree();
  }

  // The reader opened the dialog, or it opened by itself.
  onOpened() {
    if (!this.dialog.open) return;
    clearTimeout(this.#timer);
    this.#load();
    this.memory.write({ known: this.#image, seen: this.#image });
    this.#mark();
  }

  #load() {
    const picture = this.dialog.querySelector("img");
    if (picture.getAttribute("src") !== this.#image) picture.src = this.#image;
  }

  #mark() {
    const isUnseen = this.memory.read().seen !== this.#image;
    for (const opener of document.querySelectorAll("[data-opens=announcement]")) {
      opener.hidden = !this.#image;
      opener.toggleAttribute("data-unseen", isUnseen);
      const menu = opener.closest("#own-menu");
      const menuButton = menu && document.querySelector("[data-opens=own-menu]");
      menuButton?.toggleAttribute("data-unseen", isUnseen && Boolean(this.#image));
    }
  }

  // The announcement does not open while the page is hidden, the reader writes, or another dialog is open. Another tab
  // may have shown it already.
  #openWhenFree() {
    clearTimeout(this.#timer);
    if (!this.#image || this.memory.read().known === this.#image) return;
    if (isFree()) document.querySelector("[data-opens=announcement]").click();
    if (!this.dialog.open) this.#timer = setTimeout(() => this.#openWhenFree(), FREE_CHECK_MS);
  }
}

function isFree() {
  const field = document.querySelector("#composer textarea");
  return !document.hidden && !field?.value && !document.querySelector("dialog[open]");
}

// This browser stores {known, seen} for the announcement, both addresses, and the same for the notice
// (features/notice.js).
export class Memory {
  #key;
  #value = {};

  constructor(key) {
    this.#key = key;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? {};
    } catch {
      return this.#value;
    }
  }

  write(change) {
    this.#value = { ...this.read(), ...change };
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#value));
    } catch {
      // Cookies are blocked or the storage is full, so only this page remembers the value.
    }
  }
}
