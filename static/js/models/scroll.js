// Where the reader is in the timeline, and which part of it stands in the document.
// Arithmetic only: the element hands in what it measured.

export const NEAR_END_PX = 100;
export const NEAR_EDGE_PX = 600;
export const DOCUMENT_LIMIT = 300;
export const PAGE = 50;

export function isNearEnd({ top, client, height }) {
  return height - client - top <= NEAR_END_PX;
}

// Index of the first of `count` items, in order, whose bottom edge lies below `line`; by halving,
// because measuring each of 300 items on every scroll would be felt.
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

// The slice of the timeline that the document holds, named by ids so that it keeps its place when
// messages are added or expire at either end. `last` Infinity: it runs on with the newest.
export class Slice {
  first = 0;
  last = Infinity;

  get atEnd() {
    return this.last === Infinity;
  }

  // [from, to) in `ids` (sorted). Past the limit it drops what the reader is farthest from.
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

  // Shows a page more above; false when the timeline has none, and older ones must be fetched.
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
