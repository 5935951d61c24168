// The notice above the conversation: two lines until it is unfolded. The reader can fold it to one line, and this
// browser remembers that; a changed notice is shown again, and announced. Loaded with the first notice (room.js).

import { icon, iconButton, make, snippet, textNode } from "../elements/dom.js";
import { t } from "../words/words.js";
import { Memory } from "./announcement.js";

let band = null;

// room.notice is {text, by, changed_ms}, or null: then the notice is hidden.
export function show(room) {
  band ??= new Band(room, document.getElementById("notice"));
  band.show();
}

class Band {
  #room;
  #root;
  #memory;
  #text = make("div", "pinned-text");
  #by = make("p", "pinned-by");
  #line = make("button", "pinned-line");
  #more = iconButton("side-button", "down", t("notice_more"), () => this.#unfold());
  #fold = iconButton("side-button", "close", t("notice_fold"), () => this.#foldTo(true));

  constructor(room, root) {
    this.#room = room;
    this.#root = root;
    this.#memory = new Memory(`notice:${room.me?.id ?? "guest"}`);
    this.#line.type = "button";
    this.#line.setAttribute("aria-expanded", "false");
    this.#line.addEventListener("click", () => this.#foldTo(false));
    const full = make("div", "pinned-full");
    full.append(this.#text, this.#by);
    const acts = make("div", "pinned-acts");
    acts.append(this.#more, ...this.#change(), this.#fold);
    root.append(icon("pin"), full, this.#line, acts);
    new ResizeObserver(() => this.#drawMore()).observe(this.#text);
    room.onFrame("member", ({ user, was }) => {
      if (room.notice && was && room.notice.by === was) {
        room.notice.by = user.name;
        this.#draw();
      }
    });
  }

  show() {
    const { notice } = this.#room;
    const { shown, folded } = this.#memory.read();
    const isNew = notice !== null && shown !== notice.changed_ms;
    this.#root.hidden = notice === null;
    if (notice === null) return;
    this.#setFolded(!isNew && folded);
    this.#draw();
    if (!isNew) return;
    this.#memory.write({ shown: notice.changed_ms, folded: false });
    document.getElementById("announcer").textContent = `${t("notice")} · ${notice.text}`;
  }

  #draw() {
    const { notice, mentions, dates, now } = this.#room;
    const time = make("time", "", `${dates.dayName(notice.changed_ms, now())} ${dates.time(notice.changed_ms)}`);
    time.dateTime = new Date(notice.changed_ms).toISOString();
    time.title = dates.exact(notice.changed_ms);
    // Only administrators set the notice.
    this.#text.replaceChildren(textNode(notice.text, (text) => mentions({ text, role: "administrator" })));
    this.#by.replaceChildren(make("bdi", "", notice.by), " ", time);
    this.#line.replaceChildren(make("bdi", "", snippet(notice.text, 120)));
    this.#drawMore();
  }

  // For administrators. The dialog is opened by elements/dialogs.js.
  #change() {
    if (this.#room.me?.role !== "administrator") return [];
    const node = iconButton("side-button", "pencil", t("notice_change"));
    node.dataset.opens = "notice-editor";
    return [node];
  }

  #unfold() {
    this.#root.classList.add("pinned--whole");
    this.#text.tabIndex = 0; // it may scroll
    this.#text.focus();
    this.#drawMore();
  }

  // Stores the reader's choice.
  #foldTo(folded) {
    this.#memory.write({ folded });
    this.#setFolded(folded);
    (folded ? this.#line : this.#fold).focus();
  }

  #setFolded(folded) {
    this.#root.classList.toggle("pinned--folded", Boolean(folded));
    this.#root.classList.remove("pinned--whole");
    this.#text.removeAttribute("tabindex");
    this.#drawMore();
  }

  // The button is shown only if the text does not fit into two lines.
  #drawMore() {
    const text = this.#text.firstElementChild;
    this.#more.hidden = !text || text.scrollHeight <= text.clientHeight + 1 || this.#root.classList.contains("pinned--whole");
  }
}
