// The only renderer of messages: history, live, and pending.
//
// An item is {key, message, entry, mine, starts, day, unread, quote, card}: `entry` is the outbox's entry
// of a pending message, `quote` the result of Timeline.original(), `card` that of Timeline.windowCards(), `album`
// the place in the grid of an album, or null; foldOrders() sets `folded` and `fold`.

import { phrases, t, timeLeft } from "../words/words.js";
import { badge, button, clone, face, holdStill, icon, iconButton, isOnlyEmoji, make, snippet, textNode } from "./dom.js";

// A picture that is higher than this many times its width shows only its top (chatserver/media/images.py).
const LONG_RATIO = 2;
const PICTURE_BOX = { desktop: [320, 320], mobile: [220, 260] };

export class MessageRenderer {
  #drawn = new WeakMap();
  // Made once, and copied for each bubble.
  #sideButtons = null;

  // Uses of `room`: me, ui, dates, previews (client_id -> object URL), recalledText(), mentions(), timeline.
  constructor(room) {
    this.room = room;
  }

  create() {
    return clone("message-template");
  }

  // Draws only what changed since the last time: replacing nodes would lose the reader's selection.
  draw(article, item) {
    const before = this.#drawn.get(article);
    this.#drawn.set(article, item);
    const same = before && sameContent(before.message, item.message) && before.entry === item.entry && sameQuote(before.quote, item.quote) && sameCard(before.card, item.card) && Boolean(before.album) === Boolean(item.album);
    if (!same) {
      this.#drawIdentity(article, item);
      this.#drawContent(article, item);
    }
    if (!same || before.message !== item.message) this.#drawReactions(article, item);
    if (!before || before.day !== item.day) divider(article, ".day-divider", item.day);
    if (!before || before.unread !== item.unread) divider(article, ".unread-divider", item.unread ? t("unread_here") : "");
    article.classList.toggle("message--starts", item.starts && !item.album?.index);
    article.classList.toggle("message--folded", item.folded);
    drawFold(article, item.fold);
    drawPlace(article, item.album);
    if (item.entry) this.#drawProgress(article, item);
  }

  #drawIdentity(article, { message, mine, entry }) {
    if (message.id) article.dataset.id = message.id;
    article.dataset.state = message.state;
    article.dataset.kind = message.kind;
    if (entry) article.dataset.clientId = entry.client_id;
    else delete article.dataset.clientId;
    article.classList.toggle("message--mine", mine);
    const name = mine ? t("me") : message.user;
    const kind = kindOf(message, this.room.timeline.marksOf(message));
    article.setAttribute("aria-label", t("article", { name, time: this.room.dates.time(message.created_ms), kind }));
  }

  #drawContent(article, item) {
    const { message } = item;
    const content = article.querySelector(".message-content");
    const hadFocus = content.contains(document.activeElement);
    if (message.state === "recalled") content.replaceChildren(this.#recalled(item));
    else if (message.kind === "preset") content.replaceChildren(this.#preset(item));
    else if (message.kind === "order" && message.order && !item.mine) content.replaceChildren(this.#orderLine(message));
    else content.replaceChildren(this.#row(item));
    if (hadFocus) article.focus({ preventScroll: true });
  }

  #row(item) {
    const { message, mine, entry } = item;
    const row = clone("row-template");
    row.querySelector(".message-face").replaceChildren(face({ id: message.user_id, name: message.user, avatar: message.avatar }));
    const head = row.querySelector(".message-head");
    head.prepend(mine ? make("bdi", "message-author", t("me")) : this.#author(message), badge(message.role));
    head.querySelector("time").replaceWith(this.#time(message, "message-time"));
    const bubble = row.querySelector(".bubble");
    if (message.reply_to !== null) bubble.append(this.#quote(item));
    if (!item.album && (message.image || entry?.image)) bubble.append(this.#picture(item));
    if (message.kind === "order" && message.order) bubble.append(...this.#order(message.order));
    else if (message.text) bubble.append(textNode(message.text, (text) => this.room.mentions({ ...message, text })));
    bubble.append(...this.room.timeline.marksOf(message).map((mark) => this.#mark(mark)));
    bubble.classList.toggle("bubble--meant", bubble.querySelector(".mention") !== null);
    bubble.classList.toggle("bubble--bare", message.reply_to === null && !message.text);
    bubble.classList.toggle("bubble--captioned", Boolean(message.image || entry?.image) && !bubble.classList.contains("bubble--bare"));
    bubble.classList.toggle("bubble--emoji", !message.image && !entry?.image && message.reply_to === null && isOnlyEmoji(message.text));
    const side = row.querySelector(".message-side");
    if (entry) side.remove();
    else this.#fillSide(side, message);
    row.querySelector(".message-status").replaceWith(entry ? this.#status(entry) : "");
    return item.album ? this.#cell(row, item) : row;
  }

  // The name opens the member's card (features/member_card.js).
  #author({ user }) {
    const node = button("message-who", "");
    node.append(make("bdi", "message-author", user));
    node.setAttribute("aria-label", t("card_of", { name: user }));
    node.setAttribute("aria-haspopup", "dialog");
    node.tabIndex = -1;
    return node;
  }

  // A picture of an album: a square with its buttons, reactions and status inside. Above it are the text and the
  // quote, which only the first picture has.
  #cell(row, item) {
    const line = row.querySelector(".message-line");
    const bubble = line.querySelector(".bubble");
    if (bubble.childElementCount) {
      bubble.classList.remove("bubble--captioned");
      line.before(bubble);
    } else {
      bubble.remove();
    }
    line.prepend(this.#picture(item));
    line.append(row.querySelector(".message-reactions"), row.querySelector(".message-status") ?? "");
    return row;
  }

  // The reader's own order in two lines: its number and total, and what was ordered.
  #order({ no, lines, note, total }) {
    const head = make("p", "order-head", t("order_no", { no }));
    if (total) head.append(make("span", "order-sum tabular", t("order_total", { total })));
    head.append(make("span", "order-state", t("order_counted")));
    const words = make("p", "order-words");
    words.append(...orderWords({ lines, note }));
    return [head, words];
  }

  // Another member's order in one quiet line: "第 12 号 · 莉莉 · 蓝莓 2盒".
  #orderLine(message) {
    const line = make("div", "order-line");
    const words = make("p", "order-line-words tabular", `${t("order_no", message.order)} · `);
    words.append(this.#author(message), " · ", ...orderWords(message.order));
    const side = make("div", "message-side");
    this.#fillSide(side, message);
    line.append(words, side, make("div", "message-reactions"));
    return line;
  }

  // Fills the place beside a bubble. On a phone, which has no hover, the time opens the menu.
  #fillSide(side, message) {
    const time = this.#time(message, "message-exact");
    if (this.room.ui === "mobile") return side.append(timeMenu(time));
    this.#sideButtons ??= sideButtons(this.room);
    side.append(time, this.#sideButtons.cloneNode(true));
  }

  // Drawn separately from the content: a reaction must not load a picture again.
  #drawReactions(article, { message }) {
    const { me } = this.room;
    const list = article.querySelector(".message-reactions");
    if (!list) return;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.emoji : null;
    list.replaceChildren(...(message.reactions ?? []).map(({ emoji, users }) => {
      const node = button("reaction", "");
      node.dataset.emoji = emoji;
      node.append(make("span", "reaction-glyph", emoji), make("span", "tabular", String(users.length)));
      node.title = users.join(t("comma"));
      node.setAttribute("aria-label", t("reaction_of", { emoji, count: users.length, names: users.join(t("comma")) }));
      if (me) node.setAttribute("aria-pressed", String(users.includes(me.name)));
      node.tabIndex = article.contains(document.activeElement) ? 0 : -1;
      return node;
    }));
    // The reaction that was pressed keeps the focus; if it is gone, its message gets it.
    if (focused) (list.querySelector(`[data-emoji="${focused}"]`) ?? article).focus({ preventScroll: true });
  }

  #time(message, className) {
    const node = make("time", className, this.room.dates.time(message.created_ms));
    node.dateTime = new Date(message.created_ms).toISOString();
    node.title = this.room.dates.exact(message.created_ms);
    return node;
  }

  #mark({ word, at_ms }) {
    const node = make("time", "message-mark", t(`mark_${word}`));
    node.dateTime = new Date(at_ms).toISOString();
    node.title = t(`mark_${word}_at`, { time: this.room.dates.exact(at_ms) });
    return node;
  }

  #quote({ quote, message }) {
    const { state, message: original } = quote;
    if (state === "deleted" || state === "gone" || state === "recalled") {
      return make("p", "quote quote--empty", t(`quote_${state}`));
    }
    const node = button("quote", "");
    node.dataset.jump = message.reply_to;
    if (state === "earlier") {
      node.append(t("quote_earlier"));
      return node;
    }
    const text = make("bdi", "quote-text", original.text ? snippet(original.text) : original.image ? t("picture") : presetText(original));
    node.append(make("bdi", "quote-author", original.user), text);
    node.setAttribute("aria-label", t("quote_of", { name: original.user, text: text.textContent }));
    if (original.thumb) {
      const thumb = make("img", "quote-thumb");
      thumb.alt = "";
      this.room.settled.then(() => (thumb.src = original.thumb));
      node.append(thumb);
    }
    return node;
  }

  // A picture's size is known before it is loaded, so nothing moves when it arrives.
  #picture({ message, entry }) {
    const frame = button("picture", "");
    frame.dataset.picture = "";
    frame.setAttribute("aria-label", t("open_picture", { name: message.user }));
    const picture = make("img");
    picture.alt = "";
    picture.decoding = "async";
    const isLong = message.height > LONG_RATIO * message.width;
    const shownHeight = isLong ? LONG_RATIO * message.width : message.height;
    const [width, height] = fit(message.width, shownHeight, PICTURE_BOX[this.room.ui]);
    picture.width = width;
    picture.height = height;
    frame.append(picture);
    if (isLong) {
      frame.classList.add("picture--long");
      frame.append(make("span", "picture-long", t("long_picture")));
    }
    const preview = this.room.previews.get(entry?.client_id ?? message.client_id);
    if (preview) picture.src = preview;
    if (entry) {
      frame.disabled = true;
      picture.addEventListener("error", () => frame.replaceChildren(icon("picture"), make("span", "picture-name", entry.image.name)), { once: true });
    } else if (preview) {
      this.#replacePreview(picture, message);
    } else {
      picture.loading = "lazy";
      holdStill(picture, message);
      this.room.settled.then(() => (picture.src = message.thumb || message.image));
    }
    return frame;
  }

  // The sender's own preview stays until the stored picture is decoded, so that nothing flickers.
  async #replacePreview(picture, { thumb, image, client_id }) {
    const stored = new Image();
    stored.src = thumb || image;
    await stored.decode().catch(() => {});
    picture.src = stored.src;
    URL.revokeObjectURL(this.room.previews.get(client_id));
    this.room.previews.delete(client_id);
  }

  #status(entry) {
    const status = make("div", "message-status");
    if (entry.state === "failed") {
      status.classList.add("message-status--failed");
      status.append(icon("alert"), make("span", "", entry.reason || t("failed")));
      status.append(statusButton("retry", t("retry")), statusButton("discard", t("take_back")));
    } else if (entry.image) {
      const bar = make("progress", "upload");
      bar.max = 1;
      bar.setAttribute("aria-label", t("uploading"));
      status.append(bar, make("span", "upload-part"), statusButton("discard", t("cancel")));
    } else {
      status.append(icon("clock"), make("span", "message-waiting"));
    }
    return status;
  }

  #drawProgress(article, { entry }) {
    const bar = article.querySelector("progress.upload");
    const waiting = entry.state === "waiting";
    if (bar) {
      bar.value = entry.progress;
      const part = entry.progress >= 1 ? t("processing") : t("percent", { percent: Math.round(entry.progress * 100) });
      article.querySelector(".upload-part").textContent = waiting ? t("waiting") : part;
    }
    const words = article.querySelector(".message-waiting");
    if (words) words.textContent = waiting ? t("waiting") : t("sending");
  }

  #recalled({ message, mine }) {
    const notice = clone("notice-template");
    const words = notice.querySelector(".notice-text");
    const by = message.recalled_by;
    if (message.order) words.append(...around(t("order_withdrawn"), { name: message.user, no: String(message.order.no) }));
    else if (by && by !== message.user) words.append(...around(mine ? t("recalled_yours_by") : t("recalled_by"), { by, name: message.user }));
    else if (mine) words.append(t("recalled_mine"));
    else words.append(...around(t("recalled"), { name: message.user }));
    if (mine && this.room.recalledText(message.id)) {
      const again = button("notice-again", t("edit_again"));
      again.dataset.editAgain = message.id;
      notice.append(again);
    }
    return notice;
  }

  #preset(item) {
    const { message, card } = item;
    if (message.image) return this.#presetPicture(item);
    const notice = clone("notice-template");
    notice.classList.add("notice--preset");
    notice.dataset.preset_kind = message.preset ?? "";
    notice.dataset.window = card?.state ?? "";
    const words = notice.querySelector(".notice-text");
    words.append(icon(message.preset === "stop" ? "stop" : "clock"), make("strong", "", presetText(message)));
    if (card?.state === "stop" && !card.by) words.append(make("span", "notice-author", t("window_by_itself")));
    else words.append(make("bdi", "notice-author", message.user), badge(message.role));
    if (message.planned) words.append(make("span", "notice-author", t("window_planned")));
    const second = this.#second(card?.state === "stop" ? card.at_ms : message.created_ms);
    words.append(this.room.ui === "mobile" ? timeMenu(second) : second);
    notice.append(...this.#fate(message, card), ...this.#result(message));
    notice.classList.toggle("notice--countdown", message.preset === "countdown" && card?.state === "live");
    const wrapper = make("div", "notice-box");
    wrapper.append(notice, this.#side(message), make("div", "message-reactions"));
    return wrapper;
  }

  // The part beside a preset; "" on a phone, because the preset's time opens the menu.
  #side(message) {
    if (this.room.ui === "mobile") return "";
    const side = make("div", "message-side");
    this.#fillSide(side, message);
    return side;
  }

  // How much time a start or countdown has left, or what happened to its window.
  #fate(message, card) {
    if (card?.state === "live") {
      const seconds = Math.max(0, Math.ceil((card.closes_ms - this.room.now()) / 1000));
      return [make("span", message.preset === "countdown" ? "remaining remaining--large" : "remaining", timeLeft(seconds))];
    }
    const fate = make("span", "notice-fate");
    if (card?.state === "replaced") fate.append(...around(t("window_replaced"), { time: this.#second(card.at_ms) }));
    else if (card?.state !== "closed") return [];
    else if (!card.at_ms) fate.append(t("window_over"));
    else if (card.by === "") fate.append(...around(t("window_closed_itself"), { time: this.#second(card.at_ms) }));
    else fate.append(...around(t("window_closed_by"), { time: this.#second(card.at_ms), by: card.by }));
    return [fate];
  }

  // The result of the window's orders, as a link to its ledger.
  #result({ result, digest, window_id }) {
    if (!digest || (result && !result.orders)) return [];
    const link = make("a", "notice-result", result ? resultText(result) : t("order_ledger"));
    link.href = `/orders/${window_id}/`;
    return [link];
  }

  #second(ms) {
    const node = make("time", "notice-time tabular", this.room.dates.second(ms));
    node.dateTime = new Date(ms).toISOString();
    node.title = this.room.dates.exact(ms);
    return node;
  }

  #presetPicture(item) {
    const { message } = item;
    const card = make("div", "preset-card");
    const caption = make("p", "preset-caption");
    const time = this.#time(message, "message-time");
    caption.append(make("bdi", "notice-author", message.user), badge(message.role), this.room.ui === "mobile" ? timeMenu(time) : time);
    card.append(caption, this.#picture(item), make("div", "message-reactions"), this.#side(message));
    return card;
  }
}

// The text of a preset in the reader's language; the server's text if this page does not know the preset.
function presetText(message) {
  return ["start", "stop", "countdown", "picture", "amended"].includes(message.preset)
    ? t(`preset_${message.preset}`)
    : message.text;
}

// What an article is, for its accessible name.
function kindOf(message, [mark]) {
  const { state, kind, order, image } = message;
  if (state === "recalled") return t("kind_recalled");
  if (state !== "live") return t("kind_unsent");
  if (kind === "preset") return presetText(message);
  if (kind === "order" && order) return t("kind_order", order);
  if (image) return t("kind_picture");
  return mark ? t(`mark_${mark.word}_kind`) : t("kind_text");
}

// "12 orders · 9 members · ¥350.00"
function resultText({ orders, members, total }) {
  const counts = t("order_counts", { orders, members });
  return total ? `${counts} · ¥${total}` : counts;
}

// A sentence whose names are elements of their own: "{name}撤回了一条消息". Values are names, or elements.
function around(sentence, values) {
  const element = (value) => (typeof value === "string" ? make("bdi", "notice-author", value) : value);
  return sentence.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? element(values[part]) : part));
}

// Sets the place of an album's picture in its grid, for the style sheet.
function drawPlace(article, place) {
  article.classList.toggle("message--album", place !== null);
  if (!place) return;
  const { index, columns } = place;
  article.classList.toggle("message--album-first", index === 0);
  article.classList.toggle("message--album-beside", index % columns > 0);
  article.style.setProperty("--column", index % columns);
  article.style.setProperty("--columns", columns);
}

// The buttons beside a message on a desktop.
function sideButtons({ me }) {
  const buttons = document.createDocumentFragment();
  if (me) {
    const reply = iconButton("side-button", "reply", t("reply"));
    reply.dataset.quick = "reply";
    buttons.append(reply);
  }
  const menu = iconButton("side-button", "more", t("menu"));
  menu.dataset.action = "menu";
  menu.setAttribute("aria-haspopup", "menu");
  buttons.append(menu);
  for (const each of buttons.children) each.tabIndex = -1;
  return buttons;
}

// The time of a message as the button that opens its menu.
function timeMenu(time) {
  const menu = button("time-menu", "");
  menu.dataset.action = "menu";
  menu.setAttribute("aria-haspopup", "menu");
  menu.tabIndex = -1;
  menu.append(make("span", "visually-hidden", `${t("message_menu")} `), time);
  return menu;
}

// The phrases of an order, each an element of its own.
function orderWords(order) {
  return phrases(order).flatMap((phrase, i) => [...(i ? [t("comma")] : []), make("bdi", "", phrase)]);
}

// Draws, below the last shown order of a run, the button that unfolds the orders after it.
function drawFold(article, fold) {
  let node = article.querySelector(".fold");
  if (!fold) return node?.remove();
  if (!node) {
    node = button("fold", "");
    node.dataset.fold = "";
    article.append(node);
  }
  node.setAttribute("aria-expanded", String(fold.isOpen));
  node.textContent = fold.isOpen ? t("orders_fold") : t("orders_more", { count: fold.count });
}

function statusButton(act, label) {
  const node = button("status-button", label);
  node.dataset.unsent = act;
  return node;
}

function divider(article, selector, text) {
  const node = article.querySelector(selector);
  node.hidden = !text;
  node.firstElementChild.textContent = text;
}

// True if at most `seq` and the reactions differ.
function sameContent(before, now) {
  return before === now || Object.keys(now).every((key) => key === "seq" || key === "reactions" || before[key] === now[key]);
}

function sameQuote(a, b) {
  return a === b || (a && b && a.state === b.state && a.message === b.message);
}

function sameCard(a, b) {
  return a === b || (a && b && a.state === b.state && a.at_ms === b.at_ms && a.by === b.by);
}

function fit(width, height, [most_wide, most_high]) {
  if (!width || !height) return [200, 150];
  const scale = Math.min(1, most_wide / width, most_high / height);
  return [Math.max(48, Math.round(width * scale)), Math.max(48, Math.round(height * scale))];
}
