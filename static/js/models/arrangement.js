// How messages that follow each other stand together: runs of one author, albums, folded orders. No DOM.

const RUN_MS = 5 * 60_000;
// A phone shows 650 px of the timeline, and less above a keyboard.
const RUN_MAX_PX = 480;
const ALBUM_COLUMNS = 3;
// So many orders of others in a row are shown; further ones are folded.
const ORDERS_SHOWN = 3;

// Runs of messages, of which only the first shows the avatar, the name and the time: same author, within five minutes,
// live and no presets, and no higher than what a phone shows, so that each screen says who wrote and when.
export class Runs {
  #previous;
  #height_px = 0;

  // `previous`: the message before the first, or null.
  constructor(previous) {
    this.#previous = previous;
  }

  // Whether `message`, the next one, begins a run; `must`: something stands between.
  begins(message, must) {
    const previous = this.#previous;
    // Three pictures of an album stand side by side, and it is one message to the eye.
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

// About as high as it is on a phone, where a line holds 16 Chinese characters.
function heightOf({ text, image }) {
  return 44 + (image ? 220 : 0) + Math.floor(text.length / 16) * 24;
}

function isPlain({ state, kind }) {
  return state === "live" && kind !== "preset" && kind !== "order";
}

// The pictures of an album follow its first one, whatever was said while they were sent.
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

// Gives the items of an album that follow each other their place in a grid: {index, columns}. One alone, and
// one below a divider, begins anew.
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

// Folds what follows the first orders of others in a row, those that were withdrawn among them: each such item gets
// `folded`, and the last one shown `fold`: {count, isOpen}. `opened` holds the ids of the orders that the reader unfolded.
// Returns the folded ids by the id of the last order shown.
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
