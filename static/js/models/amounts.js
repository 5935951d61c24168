// Quantities in whole hundredths and money in whole cents, as the server counts them
// (chatserver/features/ordering/amounts.py): never as a JavaScript fraction.

const DECIMAL = /^(\d{1,6})(?:\.(\d{1,2}))?$/;

// Typed text in the form of the protocol: "１．５" and "1。5" of a Chinese keyboard are "1.5".
export function typed(text) {
  return text.trim().replace(/[０-９]/g, (digit) => "０１２３４５６７８９".indexOf(digit)).replace(/[。．]/, ".");
}

// "1.5" -> 150; null if the text is no amount of the protocol.
export function parse(text) {
  const found = DECIMAL.exec(text);
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

// 150 -> "1.5"
export function quantity(hundredths) {
  const text = money(hundredths);
  return text.replace(/\.?0+$/, "");
}

// 2500 -> "25.00"
export function money(cents) {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

// The cents for a quantity in hundredths at `cents` per unit, rounded half up. BigInt: the product has up to 16 digits.
export function lineAmount(hundredths, cents) {
  return Number((BigInt(hundredths) * BigInt(cents) + 50n) / 100n);
}
