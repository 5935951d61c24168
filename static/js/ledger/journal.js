// Checks a journal: every entry's leaf, the chain of heads, and the heads that this browser knows already.
// The form of an entry is that of chatserver/features/ordering/journal.py.

// False if the browser has no SubtleCrypto, which needs https or this machine's own address.
export const canCheck = Boolean(globalThis.crypto?.subtle);

const HASH = /^[0-9a-f]{64}$/;
const SALT = /^[0-9a-f]{32}$/;

// {wrong: number of the first entry that does not fit, or 0; heads: the heads up to there, in hex; isCut: whether the
// end is missing}. `known`: the head from a closed window, or undefined. It may be older than the journal.
export async function check({ entries, digest }, known) {
  let head = new Uint8Array(32);
  const heads = [];
  for (const [i, entry] of entries.entries()) {
    if (!isEntry(entry) || !(await holdsItsBody(entry))) return { wrong: i + 1, heads, isCut: false };
    head = await sha256(join(head, fromHex(entry.leaf)));
    if (toHex(head) !== entry.head) return { wrong: i + 1, heads, isCut: false };
    heads.push(entry.head);
  }
  // A journal is never empty, because it begins with the opening of its window.
  const isCut = !heads.length || digest !== heads[heads.length - 1] || (known !== undefined && !heads.includes(known));
  return { wrong: 0, heads, isCut };
}

// The receipts that the room's page has kept for this window: [{no, receipt}].
export function receiptsOf(window_id) {
  try {
    const kept = JSON.parse(localStorage.getItem("receipts"))?.[window_id];
    return Array.isArray(kept) ? kept.filter((each) => typeof each?.receipt === "string") : [];
  } catch {
    return [];
  }
}

function isEntry(entry) {
  if (!HASH.test(entry?.leaf) || !HASH.test(entry.head)) return false;
  return entry.body === null ? entry.salt === null : typeof entry.body === "string" && SALT.test(entry.salt);
}

// If an entry's text was erased, only its leaf is left.
async function holdsItsBody({ salt, body, leaf }) {
  return body === null || toHex(await sha256(join(fromHex(salt), new TextEncoder().encode(body)))) === leaf;
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
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
