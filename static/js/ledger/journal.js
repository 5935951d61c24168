// Checks a journal: every entry's leaf, the chain of heads, and the receipts that this browser was given.
// The form of an entry is that of chatserver/features/ordering/journal.py.

// Where there is no SubtleCrypto: on plain http, but for this machine's own address.
export const canCheck = Boolean(globalThis.crypto?.subtle);

// {wrong: number of the first entry that does not fit, or 0; heads: all heads, in hex}
export async function check({ entries, digest }) {
  let head = new Uint8Array(32);
  const heads = [];
  for (const [i, entry] of entries.entries()) {
    const leaf = fromHex(entry.leaf);
    if (entry.body !== null && toHex(await sha256(join(fromHex(entry.salt), new TextEncoder().encode(entry.body)))) !== entry.leaf) {
      return { wrong: i + 1, heads };
    }
    head = await sha256(join(head, leaf));
    if (toHex(head) !== entry.head) return { wrong: i + 1, heads };
    heads.push(entry.head);
  }
  return { wrong: entries.length && digest !== toHex(head) ? entries.length : 0, heads };
}

// The receipts that the room's page has kept for this window: [{no, receipt}].
export function receiptsOf(window_id) {
  try {
    const kept = JSON.parse(localStorage.getItem("receipts"))?.[window_id];
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function join(a, b) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
