// A list of which a row stays the same node for as long as it says the same: an update once a second then keeps
// the focus, the selection and the place that the reader has scrolled to, and costs what has changed.

// Rows made in one frame: a phone draws this many without a pause that is felt.
const CHUNK = 100;

export class RowList {
  #list;
  #keyOf;
  #make;
  // key -> {says, row}
  #known = new Map();
  #turn = 0;

  // `make(thing)`: the row that shows all of `thing`.
  constructor(list, keyOf, make) {
    this.#list = list;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  // Shows `things`, in their order; the first of them at once.
  show(things) {
    this.#turn += 1;
    this.#drop(new Set(things.map(this.#keyOf)));
    this.#place(things, 0, this.#list.firstElementChild, this.#turn);
  }

  #drop(wanted) {
    for (const [key, { row }] of this.#known) {
      if (wanted.has(key)) continue;
      row.remove();
      this.#known.delete(key);
    }
  }

  // `before`: the row in front of which the next one belongs, where it is not that one itself.
  #place(things, from, before, turn) {
    if (turn !== this.#turn) return;
    for (const thing of things.slice(from, from + CHUNK)) {
      const isNext = this.#known.get(this.#keyOf(thing))?.row === before && before !== null;
      const row = this.#rowOf(thing);
      if (isNext) before = row.nextElementSibling;
      else this.#list.insertBefore(row, before);
    }
    if (from + CHUNK < things.length) requestAnimationFrame(() => this.#place(things, from + CHUNK, before, turn));
  }

  #rowOf(thing) {
    const key = this.#keyOf(thing);
    const says = JSON.stringify(thing);
    const known = this.#known.get(key);
    if (known?.says === says) return known.row;
    const row = this.#make(thing);
    if (known) replace(known.row, row);
    this.#known.set(key, { says, row });
    return row;
  }
}

// The control that has the focus is followed by the one in its place.
function replace(old, row) {
  const place = controls(old).indexOf(document.activeElement);
  old.replaceWith(row);
  controls(row)[place]?.focus({ preventScroll: true });
}

function controls(row) {
  return [...row.querySelectorAll("input, button")];
}
