// The list of messages: draws the part of the timeline that the document holds, and keeps the scroll
// position.
//
// Changes are collected and drawn once per animation frame. After each drawing the messages in view are
// put back to where they were, so that older pages, expiry, pictures and a new window size do not move
// the line that is being read.
//
// Event "read": the reader has seen the newest message; its id is `lastRead`. Event "follow": `following` changed.

import { albumsTogether, firstBelow, foldOrders, isNearEnd, lowerBound, NEAR_EDGE_PX, placeAlbums, Runs, Slice } from "../models/timeline.js";
import { t } from "../words/words.js";
import { MessageRenderer } from "./message.js";

export class TimelineView extends EventTarget {
  following = true;
  lastRead = 0;

  #room;
  #list;
  #renderer;
  #articles = new Map();
  #keyOfId = new Map();
  #slice = new Slice();
  #frame = 0;
  #anchors = [];
  #measured = 0;
  #wasFollowing = true;
  #fetching = false;
  #unseen = 0;
  // The outbox's name of an album -> its id, once the server has stored a picture of it.
  #albumIds = new Map();
  #unreadFrom = null;
  // The ids of unfolded orders; and the ids in each fold, by the id of the order above it.
  #unfolded = new Set();
  #folds = new Map();
  // The page was hidden after the member had read everything, so the unread divider goes above the next message.
  #leftAllRead = false;

  constructor(room, { list, newest, empty, older }) {
    super();
    this.#room = room;
    this.#list = list;
    this.newest = newest;
    this.empty = empty;
    this.older = older;
    this.#renderer = new MessageRenderer(room);
    list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    list.addEventListener("load", ({ target }) => this.#onLoad(target), { capture: true });
    new ResizeObserver(() => this.keepPosition()).observe(list);
    list.addEventListener("click", ({ target }) => this.#onFold(target.closest("[data-fold]")));
    newest.addEventListener("click", () => this.toEnd());
    room.timeline.addEventListener("change", ({ detail }) => this.#onChange(detail));
    document.addEventListener("visibilitychange", () => this.#onVisibility());
  }

  // The first drawing is the page's own content: a screen reader does not announce it.
  start(lastRead) {
    const { ids } = this.#room.timeline;
    this.lastRead = lastRead;
    this.#slice.toEnd(ids);
    this.#slice.first = 0;
    this.#markUnread();
    this.#draw();
    this.#suppressAnnouncements();
  }

  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  toEnd() {
    this.#slice.toEnd(this.#room.timeline.ids);
    this.following = true;
    this.#draw();
  }

  // A member who posts has read the messages above.
  onSent() {
    this.#unreadFrom = null;
    this.toEnd();
  }

  // Scrolls a message into the middle of the view; fetches older pages until it is loaded.
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
    const fold = [...this.#folds.values()].find((ids) => ids.includes(id));
    if (fold) this.#setUnfolded(fold, true);
    const article = this.#list.querySelector(`[data-id="${id}"]`);
    article.scrollIntoView({ block: "center" });
    article.focus({ preventScroll: true });
    article.classList.remove("message--found");
    requestAnimationFrame(() => article.classList.add("message--found"));
    article.addEventListener("animationend", () => article.classList.remove("message--found"), { once: true });
    return true;
  }

  // Skip icons: their size is known before they load, and each message has two beside it.
  #onLoad(target) {
    if (target instanceof HTMLImageElement) this.keepPosition();
  }

  #onFold(pressed) {
    if (!pressed) return;
    const ids = this.#folds.get(Number(pressed.closest("article").dataset.id));
    // The messages in view stay where they are, also at the end of the list.
    this.following = false;
    this.#setUnfolded(ids, pressed.getAttribute("aria-expanded") !== "true");
  }

  #setUnfolded(ids, isUnfolded) {
    for (const id of ids) {
      if (isUnfolded) this.#unfolded.add(id);
      else this.#unfolded.delete(id);
    }
    this.#draw();
  }

  #onChange({ posted = [], replaced = false }) {
    const { me, outbox } = this.#room;
    for (const message of posted) {
      const mine = me?.id === message.user_id;
      const entry = mine && outbox?.find(message.client_id);
      if (entry) {
        if (entry.album) this.#albumIds.set(entry.album, message.album);
        // The message uses the article of its pending entry, so that it is not shown twice.
        this.#keyOfId.set(message.id, message.client_id);
        outbox.confirm(message.client_id);
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
    this.keepPosition();
    this.#noteRead();
  }

  #items() {
    const { timeline, outbox, me, dates } = this.#room;
    const cards = timeline.windowCards(this.#room.openWindow());
    const [from, to] = this.#slice.bounds(timeline.ids, this.following);
    const now = this.#room.now();
    const items = [];
    let previous = from > 0 ? timeline.get(timeline.ids[from - 1]) : null;
    const runs = new Runs(previous);
    const add = ({ key, message, entry }) => {
      const newDay = !previous || dates.dayKey(previous.created_ms) !== dates.dayKey(message.created_ms);
      const unread = message.id !== null && message.id === this.#unreadFrom;
      items.push({
        key, message, entry,
        mine: Boolean(me) && message.user_id === me.id,
        starts: runs.begins(message, newDay || unread),
        day: newDay ? dates.dayName(message.created_ms, now) : "",
        unread,
        quote: message.reply_to === null ? null : timeline.original(message.reply_to),
        card: cards.get(message.id) ?? null,
        album: null,
        fold: null,
        folded: false,
      });
      previous = message;
    };
    const shown = timeline.ids.slice(from, to).map((id) => ({ key: this.#keyOfId.get(id) ?? id, message: timeline.get(id), entry: null }));
    const unsent = this.#slice.atEnd ? outbox?.entries ?? [] : [];
    shown.push(...unsent.map((entry) => ({ key: entry.client_id, message: this.#pending(entry), entry: snapshot(entry) })));
    albumsTogether(shown).forEach(add);
    placeAlbums(items);
    this.#folds = foldOrders(items, this.#unfolded);
    return items;
  }

  // An unsent entry as a message. The object is new only if the state or album of the entry has changed.
  #pending(entry) {
    const { me } = this.#room;
    const album = this.#albumIds.get(entry.album) ?? entry.album ?? null;
    if (entry.shown?.of !== entry.state || entry.shown.message.album !== album) {
      entry.shown = {
        of: entry.state,
        message: {
          id: null, state: entry.state === "failed" ? "failed" : "pending", kind: entry.image ? "image" : "text",
          user: me.name, user_id: me.id, role: me.role, avatar: me.avatar, text: entry.text,
          image: "", thumb: "", width: entry.image?.width ?? 0, height: entry.image?.height ?? 0,
          created_ms: entry.created_ms, reply_to: entry.reply_to, client_id: entry.client_id, album,
        },
      };
    }
    return entry.shown.message;
  }

  // Puts the messages in view back to their place after the layout of the list has changed.
  keepPosition() {
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
    // The height of the list has changed (an on-screen keyboard opened), so this scroll event is not from the reader.
    if (this.#list.clientHeight !== this.#measured) this.keepPosition();
    else this.#measure();
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    if (scrollTop < NEAR_EDGE_PX) this.#showOlder();
    if (!this.#slice.atEnd && scrollHeight - clientHeight - scrollTop < NEAR_EDGE_PX) {
      this.#slice.extendDown(this.#room.timeline.ids);
      this.redraw();
    }
    this.#noteRead();
  }

  // Records which messages are in view, and at which height, for keepPosition() after the next change.
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
    if (this.following !== this.#wasFollowing) this.dispatchEvent(new Event("follow"));
    this.#wasFollowing = this.following;
    const far = where.height - where.client - where.top > where.client;
    this.#showNewest(!this.following && (this.#unseen > 0 || far));
  }

  // Writes only changes, because a write causes a layout at the next measurement, and each scroll event measures.
  #showNewest(isShown) {
    const words = this.#unseen ? t("new_messages", { count: this.#unseen }) : t("to_newest");
    const label = this.newest.lastElementChild;
    if (label.textContent !== words) label.textContent = words;
    this.newest.hidden = !isShown;
  }

  #showOlder() {
    const { timeline } = this.#room;
    if (this.#slice.extendUp(timeline.ids)) {
      this.#suppressAnnouncements();
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
      this.#suppressAnnouncements();
      this.#slice.first = Math.min(this.#slice.first, this.#room.timeline.oldestId);
      return found;
    } catch {
      return false;
    } finally {
      this.older.hidden = true;
      this.#fetching = false;
    }
  }

  // A screen reader must not announce older messages that are added, so the log is marked as busy meanwhile.
  #suppressAnnouncements() {
    this.#list.setAttribute("aria-busy", "true");
    setTimeout(() => this.#list.setAttribute("aria-busy", "false"), 300);
  }

  #markUnread() {
    const { timeline, me } = this.#room;
    if (!this.lastRead || this.lastRead < timeline.firstId) return;
    this.#unreadFrom = timeline.ids.find((id) => id > this.lastRead && timeline.get(id).user_id !== me?.id) ?? null;
  }

  #noteRead() {
    const { newestId } = this.#room.timeline;
    if (document.hidden || !this.following || newestId <= this.lastRead) return;
    this.lastRead = newestId;
    this.dispatchEvent(new Event("read"));
  }

  // The member has read up to `id` in another browser.
  readTo(id) {
    if (id <= this.lastRead) return;
    this.lastRead = id;
    this.dispatchEvent(new Event("read"));
  }

  // The unread divider moves only while the page is hidden.
  #onVisibility() {
    this.#noteRead();
    this.#leftAllRead = document.hidden && this.lastRead >= this.#room.timeline.newestId;
  }
}

// The renderer compares an item with the last drawn item, so it needs a copy of the entry as it was then.
function snapshot(entry) {
  if (entry.seen?.state !== entry.state) entry.seen = { ...entry, seen: undefined, shown: undefined };
  entry.seen.progress = entry.progress;
  return entry.seen;
}
