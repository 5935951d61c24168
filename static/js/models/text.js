// What a message's text is made of: plain runs and links. No HTML is ever built from it.

const LINK = /\bhttps?:\/\/[^\s<>"'`“”‘’「」『』（）【】《》，。；！？、]+/giu;
// Punctuation at the end belongs to the sentence, not to the address.
const TRAILING = /[.,;:!?)\]}'"*_~]+$/u;

// A list of {text} and {text, href}, in order; joined, their texts are the whole text.
export function pieces(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = withoutTail(match[0]);
    const href = safeAddress(address);
    if (!href) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: address, href });
    from = match.index + address.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

const ONE_GLYPH = String.raw`(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)(?:\p{EMod}|\uFE0F|\u200D\p{Emoji}\uFE0F?)*`;
const FEW_GLYPHS = new RegExp(`^(?:${ONE_GLYPH}\\s?){1,3}$`, "u");

// One to three emoji and nothing else: drawn larger, without a bubble.
export function isOnlyEmoji(text) {
  return text.length < 40 && FEW_GLYPHS.test(text);
}

// Characters as the server counts them: code points, not UTF-16 units.
export function length(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

// One line of at most `limit` characters, for quotes and notices.
export function snippet(text, limit = 80) {
  const line = text.replace(/\s+/gu, " ").trim();
  const characters = [...line];
  return characters.length > limit ? `${characters.slice(0, limit).join("")}…` : line;
}

// The first character of a name as a reader sees it, for a drawn face.
export function initial(name) {
  const segments = globalThis.Intl?.Segmenter
    ? new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name)
    : [...name].map((segment) => ({ segment }));
  for (const { segment } of segments) return segment.toLocaleUpperCase();
  return "·";
}

function withoutTail(address) {
  const trimmed = address.replace(TRAILING, "");
  // "(https://host/a_(b))" keeps the bracket that the address itself opened.
  const opened = (trimmed.match(/\(/g) ?? []).length;
  const closed = (trimmed.match(/\)/g) ?? []).length;
  return opened > closed && address.startsWith(`${trimmed})`) ? `${trimmed})` : trimmed;
}

function safeAddress(address) {
  try {
    const { protocol, href, hostname } = new URL(address);
    return hostname && (protocol === "http:" || protocol === "https:") ? href : null;
  } catch {
    return null;
  }
}
