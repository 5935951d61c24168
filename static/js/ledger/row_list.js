// A list that keeps the node of a row while its content stays the same. So an update once a second keeps the focus, the
// selection and the scroll position, and costs only the changed rows.

// The number of rows made in one frame: a phone draws this many without a visible pause.
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

  // Shows `things` in their order: the first CHUNK of them now, the others in later frames.
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

  // `before`: the row at the next place. If it is the next thing's own row, it stays; else the new row is inserted
  // before it.
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

// If a control of the old row has the focus, the control in its place gets it.
function replace(old, row) {
  const place = controls(old).indexOf(document.activeElement);
  old.replaceWith(row);
  controls(row)[place]?.focus({ preventScroll: true });
}

function controls(row) {
  return [...row.querySelectorAll("input, button")];
}
