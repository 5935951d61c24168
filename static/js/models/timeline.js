// The room's messages as this page knows them, in the server's order, and which of them the document
// holds. No DOM: the view (elements/timeline.js) passes in what it measured.
//
// Messages come from three sources: the page itself, the socket, and history over HTTP. The answers
// can arrive in any order; the higher `seq` of a message wins, so that an answer that was read before
// a recall cannot bring back what was recalled.

const NEAR_END_PX = 100;
export const NEAR_EDGE_PX = 600;
const DOCUMENT_LIMIT = 300;
export const PAGE = 50;
const PENDING_CHANGES_MAX = 500;
const RUN_MS = 5 * 60_000;
// A phone shows 650 px of the timeline, and less above a keyboard.
const RUN_MAX_PX = 480;
// This many orders of others in a row are shown; further orders are folded.
const ORDERS_SHOWN = 3;

// The presets that announce an ordering window.
const WINDOW_PRESETS = new Set(["start", "countdown", "stop"]);

export class Timeline extends EventTarget {
  ids = [];
  seq = 0;
  epoch = "";
  firstId = 0;
  hasMore = false;

  #byId = new Map();
  // The highest id that was ever known; unlike `newestId` it stays when that message is deleted.
  #highestId = 0;
  // Changes to messages that are not or no longer loaded: id -> {seq, state, by} or {seq, reactions}, or the
  // changed message itself. An answer that was read before a deletion cannot bring the message back.
  #pendingChanges = new Map();
  #marks;

  // `marks`: pairs of a field that a use case adds to messages, and the word for it. A recall sets the field to null.
  constructor(marks) {
    super();
    this.#marks = marks;
  }

  get(id) {
    return this.#byId.get(id);
  }

  // The marks that a message has: [{word, at_ms}].
  marksOf(message) {
    return this.#marks.filter(([field]) => message[field]).map(([field, word]) => ({ word, at_ms: message[field] }));
  }

  get oldestId() {
    return this.ids[0] ?? Infinity;
  }

  get newestId() {
    return this.ids[this.ids.length - 1] ?? 0;
  }

  // Replaces all messages: by the page's own, or by those of a `sync` that is not `complete`.
  replace({ messages, seq, epoch, first_id, has_more }) {
    this.ids = [];
    this.#byId.clear();
    this.#pendingChanges.clear();
    this.seq = seq;
    this.epoch = epoch;
    this.firstId = first_id;
    this.hasMore = has_more ?? (messages.length > 0 && messages[0].id > first_id);
    for (const message of messages) this.#store(message);
    this.#changed({ replaced: true });
  }

  // The changes since this page was last connected, in `seq` order.
  catchUp(messages, { seq, first_id }) {
    const newest = this.newestId;
    const posted = messages.filter(({ id, state }) => state === "live" && id > newest);
    const textChanged = messages.filter((message) => this.#isTextChanged(message));
    for (const message of messages) this.#apply(message);
    this.seq = Math.max(this.seq, seq);
    this.#dropBelow(first_id);
    this.#changed({ posted, textChanged });
  }

  // Older messages, from HTTP. They do not move `seq`, which counts the socket's changes only.
  prepend(messages, { first_id, has_more }) {
    for (const message of messages) this.#store(message);
    this.hasMore = has_more;
    this.firstId = Math.max(this.firstId, first_id);
    this.#changed({});
  }

  post(seq, message) {
    const isNew = message.id > this.newestId;
    const textChanged = this.#isTextChanged(message) ? [message] : [];
    this.#apply(message);
    this.seq = Math.max(this.seq, seq);
    this.#changed(isNew ? { posted: [message] } : { textChanged });
  }

  // The reactions to a message have changed.
  react(seq, id, reactions) {
    const known = this.#byId.get(id);
    this.seq = Math.max(this.seq, seq);
    if (known) this.#store({ ...known, seq, reactions });
    else this.#keepChange(id, { ...this.#pendingChanges.get(id), seq, reactions });
    this.#changed({});
  }

  // `state` is "recalled" or "deleted".
  remove(seq, id, state, by) {
    const known = this.#byId.get(id);
    this.seq = Math.max(this.seq, seq);
    if (known) {
      if (known.seq < seq) this.#store(this.#emptied(known, { seq, state, by }));
    } else {
      this.#keepChange(id, { seq, state, by });
    }
    this.#changed({ removed: id });
  }

  // True if the message can no longer be read. An unloaded message counts as readable unless the page knows otherwise.
  isGone(id) {
    const known = this.#byId.get(id);
    if (known) return known.state !== "live";
    if (id < this.firstId) return true;
    const isLoaded = id <= this.#highestId && !(this.hasMore && id < this.oldestId);
    return isLoaded || (this.#pendingChanges.get(id)?.state ?? "live") !== "live";
  }

  expire(ids, first_id) {
    for (const id of ids) this.#drop(id);
    this.#dropBelow(first_id);
    this.#changed({});
  }

  // A member's new avatar, role or name also applies to their earlier messages; the previous name, `was`, is
  // replaced in reactions and recalls too.
  updateAuthor(user, was) {
    for (const message of this.#byId.values()) {
      const now = message.user_id === user.id ? { avatar: user.avatar, role: user.role, user: user.name } : {};
      if (was && message.recalled_by === was) now.recalled_by = user.name;
      if (was && message.reactions?.some(({ users }) => users.includes(was))) now.reactions = renamed(message.reactions, was, user.name);
      if (Object.keys(now).length) this.#byId.set(message.id, { ...message, ...now });
    }
    this.#changed({ authors: true });
  }

  // The state of the presets that announce an ordering window, by message id: {state, at_ms, by}.
  // "live": the newest preset of the open window, until `closes_ms`. "replaced": a newer preset of the same
  // window followed at `at_ms`.
  // "closed": the window ended at `at_ms`, undefined if the page does not know; `by` is the member who
  // stopped it, "" if it ended by itself. "stop" has `at_ms` and `by` too.
  windowCards({ id: open_id = 0, closes_ms } = {}) {
    const cards = new Map();
    const newer = new Map();
    const ends = new Map();
    for (let i = this.ids.length - 1; i >= 0; i -= 1) {
      const message = this.#byId.get(this.ids[i]);
      const { id, window_id, preset } = message;
      if (!window_id || !WINDOW_PRESETS.has(preset)) continue;
      if (preset === "stop") {
        ends.set(window_id, endOf(message));
        cards.set(id, { state: "stop", ...endOf(message) });
      } else if (message.state === "live") {
        const next = newer.get(window_id);
        if (next) cards.set(id, { state: "replaced", at_ms: next.created_ms });
        else cards.set(id, window_id === open_id ? { state: "live", closes_ms } : { state: "closed", ...ends.get(window_id) });
        newer.set(window_id, message);
      }
    }
    return cards;
  }

  // The message that a reply answers: {state: "live", message}, or "recalled", "deleted", "gone", "earlier".
  original(id) {
    const message = this.#byId.get(id);
    if (message) return { state: message.state, message };
    if (id < this.firstId) return { state: "gone" };
    return { state: id < this.oldestId && this.hasMore ? "earlier" : "deleted" };
  }

  // The newest message of which `holds(message)` is true, or undefined.
  newest(holds) {
    for (let i = this.ids.length - 1; i >= 0; i -= 1) {
      const message = this.#byId.get(this.ids[i]);
      if (holds(message)) return message;
    }
    return undefined;
  }

  // A message from the socket. A change to a message older than the oldest loaded page is kept until its
  // page is fetched: inserted now, it would leave a gap below it that is never fetched.
  #apply(message) {
    if (this.hasMore && message.id < this.oldestId) this.#keepChange(message.id, message);
    else this.#store(message);
  }

  // True if the text differs from that of the known message.
  #isTextChanged({ id, seq, state, text }) {
    const known = this.#byId.get(id);
    return Boolean(known) && state === "live" && known.seq < seq && known.text !== text;
  }

  #keepChange(id, change) {
    this.#pendingChanges.set(id, change);
    if (this.#pendingChanges.size > PENDING_CHANGES_MAX) this.#pendingChanges.delete(this.#pendingChanges.keys().next().value);
  }

  #store(message) {
    const known = this.#byId.get(message.id);
    const pending = this.#pendingChanges.get(message.id);
    if (known && known.seq >= message.seq) return;
    if (pending && pending.seq > message.seq) message = this.#changedBy(pending, message);
    this.#highestId = Math.max(this.#highestId, message.id);
    if (message.state === "deleted") {
      this.#keepChange(message.id, { seq: message.seq, state: "deleted", by: message.by });
      this.#drop(message.id);
      return;
    }
    this.#pendingChanges.delete(message.id);
    if (!known) this.#insert(message.id);
    this.#byId.set(message.id, message);
  }

  #insert(id) {
    if (this.ids.length === 0 || id > this.ids[this.ids.length - 1]) this.ids.push(id);
    else this.ids.splice(lowerBound(this.ids, id), 0, id);
  }

  #drop(id) {
    if (!this.#byId.delete(id)) return;
    this.ids.splice(lowerBound(this.ids, id), 1);
  }

  #dropBelow(first_id) {
    this.firstId = Math.max(this.firstId, first_id);
    while (this.ids.length && this.ids[0] < first_id) this.#drop(this.ids[0]);
    if (this.oldestId <= this.firstId) this.hasMore = false;
  }

  // The message after a change that arrived before the message was loaded.
  #changedBy(change, message) {
    if (change.id) return change;
    return change.state ? this.#emptied(message, change) : { ...message, seq: change.seq, reactions: change.reactions };
  }

  #emptied(message, { seq, state, by }) {
    const recalled_by = state === "recalled" ? by : "";
    const left = { ...message, seq, state, recalled_by, text: "", image: "", thumb: "", client_id: "", album: null, reactions: [] };
    for (const [field] of this.#marks) left[field] = null;
    return left;
  }

  // `detail`: `posted` are new messages, `textChanged` known ones that have another text now; `removed` is an id.
  #changed(detail) {
    this.dispatchEvent(Object.assign(new Event("change"), { detail }));
  }
}

// The server's own stop is never before the planned end.
function endOf({ created_ms, closes_ms, user }) {
  const by_itself = created_ms >= closes_ms;
  return { at_ms: by_itself ? closes_ms : created_ms, by: by_itself ? "" : user };
}

function renamed(reactions, was, name) {
  return reactions.map(({ emoji, users }) => ({ emoji, users: users.map((each) => (each === was ? name : each)) }));
}

export function isNearEnd({ top, client, height }) {
  return height - client - top <= NEAR_END_PX;
}

// Index of the first of `count` items, in order, whose bottom edge is below `line`. A binary search,
// because measuring each of 300 items at every scroll event would be slow.
export function firstBelow(count, bottomOf, line) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(middle) > line) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The part of the timeline that the document holds. Its limits are ids, so that it stays the same part
// when messages are added or expire at either end. `last` Infinity: up to the newest.
export class Slice {
  first = 0;
  last = Infinity;

  get atEnd() {
    return this.last === Infinity;
  }

  // [from, to) in `ids` (sorted). Above the limit it drops the end that is not in view.
  bounds(ids, following) {
    let from = lowerBound(ids, this.first);
    let to = this.atEnd ? ids.length : lowerBound(ids, this.last + 1);
    if (to - from > DOCUMENT_LIMIT) {
      if (following) from = to - DOCUMENT_LIMIT;
      else to = from + DOCUMENT_LIMIT;
      this.first = ids[from];
      if (to < ids.length) this.last = ids[to - 1];
    }
    return [from, to];
  }

  // Adds one page at the top; false if the timeline has none, so that older messages must be fetched.
  extendUp(ids) {
    const from = lowerBound(ids, this.first);
    if (from === 0) return false;
    this.first = ids[Math.max(0, from - PAGE)];
    const to = this.atEnd ? ids.length : lowerBound(ids, this.last + 1);
    const start = lowerBound(ids, this.first);
    if (to - start > DOCUMENT_LIMIT) this.last = ids[start + DOCUMENT_LIMIT - 1];
    return true;
  }

  extendDown(ids) {
    if (this.atEnd) return false;
    const to = Math.min(ids.length, lowerBound(ids, this.last + 1) + PAGE);
    this.last = to >= ids.length ? Infinity : ids[to - 1];
    const from = lowerBound(ids, this.first);
    if (to - from > DOCUMENT_LIMIT) this.first = ids[to - DOCUMENT_LIMIT];
    return true;
  }

  toEnd(ids) {
    this.last = Infinity;
    this.first = ids[Math.max(0, ids.length - 2 * PAGE)] ?? 0;
  }

  around(ids, id) {
    const at = lowerBound(ids, id);
    const to = Math.min(ids.length, at + PAGE);
    this.first = ids[Math.max(0, at - PAGE)] ?? 0;
    this.last = to >= ids.length ? Infinity : ids[to - 1];
  }
}

export function lowerBound(ids, id) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Runs of messages, of which only the first shows the avatar, the name and the time: same author, gaps under five
// minutes, live, no presets or orders, no higher than a phone's screen, so that each screen shows who wrote and when.
export class Runs {
  #previous;
  #height_px = 0;

  // `previous`: the message before the first, or null.
  constructor(previous) {
    this.#previous = previous;
  }

  // True if `message`, the next one, begins a run. It does if `must`: a divider is above it.
  begins(message, must) {
    const previous = this.#previous;
    // Three pictures of an album are side by side, and the album looks like one message.
    const sameAlbum = Boolean(message.album) && previous?.album === message.album;
    const height_px = sameAlbum ? 88 : heightOf(message);
    const continues =
      !must && previous && previous.user_id === message.user_id && isPlain(previous) && isPlain(message) &&
      message.created_ms - previous.created_ms < RUN_MS && (sameAlbum || this.#height_px + height_px <= RUN_MAX_PX);
    this.#height_px = height_px + (continues ? this.#height_px : 0);
    this.#previous = message;
    return !continues;
  }
}

// The approximate height on a phone, where a line holds 16 Chinese characters.
function heightOf({ text, image }) {
  return 44 + (image ? 220 : 0) + Math.floor(text.length / 16) * 24;
}

function isPlain({ state, kind }) {
  return state === "live" && kind !== "preset" && kind !== "order";
}

// The messages of others in an event "change".
export function postedByOthers({ posted = [] }, me) {
  return posted.filter(({ user_id }) => user_id !== me?.id);
}

// The live messages that arrived after the page was made and have not been read, for a feature that is started later.
export function arrivedUnread({ timeline, page, view }) {
  const brought = page.messages[page.messages.length - 1]?.id ?? 0;
  const from = Math.max(brought, view.lastRead);
  return timeline.ids.filter((id) => id > from).map((id) => timeline.get(id)).filter(({ state }) => state === "live");
}

// Moves the pictures of an album behind its first picture, also if other messages came between.
export function albumsTogether(shown) {
  const placed = [];
  const lastOf = new Map();
  for (const each of shown) {
    const { album } = each.message;
    const last = album && lastOf.get(album);
    if (last) placed.splice(placed.indexOf(last) + 1, 0, each);
    else placed.push(each);
    if (album) lastOf.set(album, each);
  }
  return placed;
}

const ALBUM_COLUMNS = 3;

// Gives consecutive items of an album their place in a grid: {index, columns}. A single item gets no place;
// an item below a divider begins a new grid.
export function placeAlbums(items) {
  for (let from = 0, to; from < items.length; from = to) {
    const { album } = items[from].message;
    to = from + 1;
    while (album && items[to]?.message.album === album && !items[to].day && !items[to].unread) to += 1;
    const count = to - from;
    if (count === 1) continue;
    const columns = count === 2 || count === 4 ? 2 : ALBUM_COLUMNS;
    for (let index = 0; index < count; index += 1) items[from + index].album = { index, columns };
  }
}

// Folds, in a row of orders of others, the orders after the first ORDERS_SHOWN, withdrawn orders included: each gets
// `folded`, the last shown order `fold`: {count, isOpen}. `opened` holds the ids of the orders that the reader
// unfolded. Returns the ids in each fold by the id of the last shown order.
export function foldOrders(items, opened) {
  const folds = new Map();
  for (let from = 0, to; from < items.length; from = to) {
    to = from + 1;
    if (!isOthersOrder(items[from])) continue;
    while (to < items.length && isOthersOrder(items[to]) && !items[to].day && !items[to].unread) to += 1;
    const rest = items.slice(from + ORDERS_SHOWN, to);
    const count = rest.filter(({ message }) => message.state === "live").length;
    if (!count) continue;
    const ids = rest.map(({ message }) => message.id);
    const isOpen = ids.some((id) => opened.has(id));
    const last = items[from + ORDERS_SHOWN - 1];
    last.fold = { count, isOpen };
    for (const item of rest) item.folded = !isOpen;
    folds.set(last.message.id, ids);
  }
  return folds;
}

function isOthersOrder({ message, mine }) {
  return message.kind === "order" && !mine;
}
