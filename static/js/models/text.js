// What a message's text is made of: plain runs and links. No HTML is ever built from it.

const LINK = /\bhttps?:\/\/[^\s<>"'\x60“”‘’「」『』（）【】《》，。；！？、]+/giu;
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

const WORD = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Nd}_]/u;

// Where `text` calls `name` with @ or ＠: a list of {at, to}. A name in letters must end as a word
// does, so @lily does not call li; and `longer` names that begin alike are tried first, so @小明明
// does not call 小明.
export function mentionsOf(text, name, longer = []) {
  const found = [];
  const lower = text.toLocaleLowerCase();
  const wanted = name.toLocaleLowerCase();
  const others = longer.map((each) => each.toLocaleLowerCase()).filter((each) => each !== wanted && each.startsWith(wanted));
  for (const { index } of text.matchAll(/[@＠]/g)) {
    const rest = lower.slice(index + 1);
    if (!calls(rest, wanted) || others.some((each) => calls(rest, each))) continue;
    if (index > 0 && WORD.test(text[index - 1])) continue;
    found.push({ at: index, to: index + 1 + name.length });
  }
  return found;
}

function calls(rest, name) {
  return rest.startsWith(name) && !(WORD.test(name.at(-1)) && WORD.test(rest.charAt(name.length)));
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
