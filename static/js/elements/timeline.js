// The list of messages: what of the timeline stands in the document, and where the reader is in it.
//
// Changes are collected and drawn once a frame. Each drawing first notes what the reader looks at,
// and afterwards puts it back where it was: older pages, expiry, pictures and a new window size
// never move the line that is being read.

import { continuesRun } from "../models/dates.js";
import { firstBelow, isNearEnd, lowerBound, NEAR_EDGE_PX, Slice } from "../models/scroll.js";
import { t } from "../words/words.js";
import { MessageRenderer } from "./message.js";

export class TimelineView {
  following = true;

  #room;
  #list;
  #renderer;
  #articles = new Map();
  #keyOfId = new Map();
  #slice = new Slice();
  #frame = 0;
  #anchors = [];
  #measured = 0;
  #fetching = false;
  #unseen = 0;
  #unreadFrom = null;
  // The reader left with everything read: what comes next is where they last read to.
  #leftAllRead = false;

  constructor(room, { list, newest, empty, older }) {
    this.#room = room;
    this.#list = list;
    this.newest = newest;
    this.empty = empty;
    this.older = older;
    this.#renderer = new MessageRenderer(room);
    list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    list.addEventListener("load", () => this.#keepPlace(), { capture: true });
    new ResizeObserver(() => this.#keepPlace()).observe(list);
    newest.addEventListener("click", () => this.toEnd());
    room.timeline.addEventListener("change", ({ detail }) => this.#heard(detail));
    room.outbox?.addEventListener("change", () => this.redraw());
    document.addEventListener("visibilitychange", () => this.#cameOrWent());
  }

  // The first drawing is the page's own content: nothing of it is news to a screen reader.
  start() {
    const { ids } = this.#room.timeline;
    this.#slice.toEnd(ids);
    this.#slice.first = 0;
    this.#markUnread(this.#room.reading.lastRead);
    this.#draw();
    this.#quietly();
  }

  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  toEnd() {
    this.#slice.toEnd(this.#room.timeline.ids);
    this.following = true;
    this.#draw();
  }

  // What the reader has written counts as having read what stands above it.
  sent() {
    this.#unreadFrom = null;
    this.toEnd();
  }

  // Brings a message into the middle of the view, fetching older pages until it is here.
  async reveal(id) {
    const { timeline } = this.#room;
    while (!timeline.get(id) && id < timeline.oldestId && timeline.hasMore) {
      if (!(await this.#fetchOlder())) break;
    }
    if (!timeline.get(id)) return false;
    const at = lowerBound(timeline.ids, id);
    if (!this.#list.querySelector(`[data-id="${id}"]`)) this.#slice.around(timeline.ids, timeline.ids[at]);
    this.following = false;
    this.#draw();
    const article = this.#list.querySelector(`[data-id="${id}"]`);
    article.scrollIntoView({ block: "center" });
    article.focus({ preventScroll: true });
    article.classList.remove("message--found");
    requestAnimationFrame(() => article.classList.add("message--found"));
    article.addEventListener("animationend", () => article.classList.remove("message--found"), { once: true });
    return true;
  }

  articleOf(id) {
    return this.#list.querySelector(`article[data-id="${id}"]`);
  }

  #heard({ posted = [], replaced = false }) {
    const { me, outbox } = this.#room;
    for (const message of posted) {
      const mine = me?.id === message.user_id;
      if (mine && outbox?.find(message.client_id)) {
        // The pending article becomes the message's own; it is never shown twice.
        this.#keyOfId.set(message.id, message.client_id);
        outbox.settle(message.client_id);
      }
      if (mine) continue;
      if (this.#leftAllRead) this.#unreadFrom = message.id;
      else if (document.hidden || !this.following) this.#unreadFrom ??= message.id;
      this.#leftAllRead = false;
      if (!this.following) this.#unseen += 1;
    }
    if (replaced) {
      this.#slice.first = 0;
      this.#slice.last = Infinity;
    }
    this.redraw();
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const items = this.#items();
    const wanted = new Set(items.map((item) => item.key));
    for (const [key, article] of this.#articles) {
      if (wanted.has(key)) continue;
      article.remove();
      this.#articles.delete(key);
    }
    let cursor = this.#list.firstElementChild;
    for (const item of items) {
      let article = this.#articles.get(item.key);
      if (!article) this.#articles.set(item.key, (article = this.#renderer.create()));
      this.#renderer.draw(article, item);
      if (article === cursor) cursor = cursor.nextElementSibling;
      else this.#list.insertBefore(article, cursor);
    }
    this.empty.hidden = items.length > 0;
    this.#keepPlace();
    this.#noteRead();
  }

  #items() {
    const { timeline, outbox, me, dates, clock, window } = this.#room;
    const [from, to] = this.#slice.bounds(timeline.ids, this.following);
    const now = clock.now();
    const items = [];
    let previous = from > 0 ? timeline.get(timeline.ids[from - 1]) : null;
    const add = (key, message, entry) => {
      const newDay = !previous || dates.dayKey(previous.created_ms) !== dates.dayKey(message.created_ms);
      const unread = message.id !== null && message.id === this.#unreadFrom;
      items.push({
        key, message, entry,
        mine: Boolean(me) && message.user_id === me.id,
        starts: newDay || unread || !continuesRun(previous, message),
        day: newDay ? dates.dayName(message.created_ms, now) : "",
        unread,
        quote: message.reply_to === null ? null : timeline.original(message.reply_to),
        left: window.leftOf(message),
      });
      previous = message;
    };
    for (let i = from; i < to; i += 1) {
      const id = timeline.ids[i];
      add(this.#keyOfId.get(id) ?? id, timeline.get(id), null);
    }
    if (this.#slice.atEnd) for (const entry of outbox?.entries ?? []) add(entry.client_id, this.#pending(entry), snapshot(entry));
    return items;
  }

  // An unsent entry in the shape of a message; made anew only when its state changes.
  #pending(entry) {
    const { me } = this.#room;
    if (entry.shown?.of !== entry.state) {
      entry.shown = {
        of: entry.state,
        message: {
          id: null, state: entry.state === "failed" ? "failed" : "pending", kind: entry.image ? "image" : "text",
          user: me.name, user_id: me.id, role: me.role, avatar: me.avatar, text: entry.text,
          image: "", thumb: "", width: entry.image?.width ?? 0, height: entry.image?.height ?? 0,
          created_ms: entry.created_ms, reply_to: entry.reply_to, client_id: entry.client_id,
        },
      };
    }
    return entry.shown.message;
  }

  #keepPlace() {
    const list = this.#list;
    if (this.following) {
      list.scrollTop = list.scrollHeight;
    } else {
      const survivor = this.#anchors.find(({ article }) => article.isConnected);
      if (survivor) {
        const moved = survivor.article.offsetTop - list.scrollTop - survivor.offset;
        if (Math.abs(moved) >= 1) list.scrollTop += moved;
      }
    }
    this.#measure();
  }

  #scrolled() {
    // The list has another height since (a keyboard slides in): nobody scrolled away from the end.
    if (this.#list.clientHeight !== this.#measured) this.#keepPlace();
    else this.#measure();
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    if (scrollTop < NEAR_EDGE_PX) this.#older();
    if (!this.#slice.atEnd && scrollHeight - clientHeight - scrollTop < NEAR_EDGE_PX) {
      this.#slice.extendDown(this.#room.timeline.ids);
      this.redraw();
    }
    this.#noteRead();
  }

  // Notes what is in view, and at which height, for the next change to keep.
  #measure() {
    const list = this.#list;
    const where = { top: list.scrollTop, client: list.clientHeight, height: list.scrollHeight };
    this.#measured = where.client;
    this.following = this.#slice.atEnd && isNearEnd(where);
    const articles = list.children;
    const first = firstBelow(articles.length, (i) => articles[i].offsetTop + articles[i].offsetHeight, where.top);
    this.#anchors = [];
    for (let i = first; i < articles.length && articles[i].offsetTop < where.top + where.client; i += 1) {
      this.#anchors.push({ article: articles[i], offset: articles[i].offsetTop - where.top });
    }
    if (this.following) this.#unseen = 0;
    const far = where.height - where.client - where.top > where.client;
    this.newest.hidden = this.following || (this.#unseen === 0 && !far);
    this.newest.lastElementChild.textContent = this.#unseen ? t("new_messages", { count: this.#unseen }) : t("to_newest");
  }

  #older() {
    const { timeline } = this.#room;
    if (this.#slice.extendUp(timeline.ids)) {
      this.#quietly();
      this.redraw();
    } else if (timeline.hasMore) {
      this.#fetchOlder();
    }
  }

  async #fetchOlder() {
    if (this.#fetching) return false;
    this.#fetching = true;
    this.older.hidden = false;
    try {
      const found = await this.#room.fetchOlder();
      this.#quietly();
      this.#slice.first = Math.min(this.#slice.first, this.#room.timeline.oldestId);
      return found;
    } catch {
      return false;
    } finally {
      this.older.hidden = true;
      this.#fetching = false;
    }
  }

  // Old messages coming into the document are not news: the log is busy while they do.
  #quietly() {
    this.#list.setAttribute("aria-busy", "true");
    setTimeout(() => this.#list.setAttribute("aria-busy", "false"), 300);
  }

  #markUnread(last_read) {
    const { timeline, me } = this.#room;
    if (!last_read || last_read < timeline.firstId) return;
    this.#unreadFrom = timeline.ids.find((id) => id > last_read && timeline.get(id).user_id !== me?.id) ?? null;
  }

  #noteRead() {
    if (!document.hidden && this.following) this.#room.reading.read(this.#room.timeline.newestId);
  }

  // The divider stays where it is while one reads; it may move while nobody looks.
  #cameOrWent() {
    const { reading, timeline } = this.#room;
    this.#noteRead();
    this.#leftAllRead = document.hidden && reading.lastRead >= timeline.newestId;
    if (document.hidden) reading.flush();
  }
}

// The renderer compares what it drew with what it is to draw: it needs the entry as it was then.
function snapshot(entry) {
  if (entry.seen?.state !== entry.state) entry.seen = { ...entry, seen: undefined, shown: undefined };
  entry.seen.progress = entry.progress;
  return entry.seen;
}
