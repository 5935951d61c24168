// Makes nodes: elements, icons, avatars, and the text of messages with its links and mentions. Text is always inserted
// as text: no part of the page parses HTML.

import { fold, foldedWithPlaces, t } from "../words/words.js";

const SVG = "http://www.w3.org/2000/svg";
// An address ends at white space, quotes, invisible characters (such as those that change the text direction), and
// before Chinese, Japanese and Korean characters and their punctuation.
const IN_ADDRESS = String.raw`[^\s<>"'\x60“”‘’…—\p{C}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uffef]`;
const LINK = new RegExp(String.raw`(?:\bhttps?:\/\/|(?<before>[\w.@\/-]?)\bwww\.)${IN_ADDRESS}+`, "giu");
// Punctuation at the end belongs to the sentence, not to the address.
const TRAILING = /[.,;:!?)\]}'"*_~]+$/u;

// A new copy of the element in a <template> of the page.
export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

export function button(className, label, act) {
  const node = make("button", className, label);
  node.type = "button";
  if (act) node.addEventListener("click", act);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(className, name, label, act) {
  const node = button(className, "", act);
  node.setAttribute("aria-label", label);
  node.title = label;
  node.append(icon(name));
  return node;
}

// A member's avatar: the picture, or the first character of the name on the member's own hue.
export function face({ id, name, avatar }) {
  const drawn = () => {
    const node = make("span", "face", initial(name));
    node.dataset.hue = id % 8;
    node.setAttribute("aria-hidden", "true");
    return node;
  };
  if (!avatar) return drawn();
  const picture = make("img", "face");
  picture.alt = "";
  picture.decoding = "async";
  picture.loading = "lazy";
  picture.addEventListener("error", () => picture.replaceWith(drawn()), { once: true });
  picture.src = avatar;
  return picture;
}

// The mark of an administrator or a bot; "" for a member. It is an icon, so that no name can imitate it.
export function badge(role) {
  if (role === "member") return "";
  const [mark, label] = role === "bot" ? ["bot", t("bot")] : ["badge", t("administrator")];
  const node = make("span", "badge");
  node.append(icon(mark), make("span", "badge-label", label));
  return node;
}

// A message's text, with its links and the mentions of the reader.
export function textNode(text, mentions) {
  const node = make("p", "message-text");
  node.dir = "auto";
  for (const piece of pieces(text)) {
    if (piece.href) node.append(linkNode(piece));
    else node.append(...withMentions(piece.text, mentions(piece.text)));
  }
  return node;
}

// The link, always written from left to right, and its real host if the visible text suggests another host.
function linkNode({ text, href, host }) {
  const link = make("a", "", text);
  link.href = href;
  link.dir = "ltr";
  link.target = "_blank";
  link.rel = "noopener nofollow ugc";
  if (!host) return link;
  const both = make("span");
  both.dir = "ltr";
  both.append(link, make("span", "link-host", `→ ${host}`));
  return both;
}

function withMentions(text, mentions) {
  const parts = [];
  let from = 0;
  for (const { begin, to } of mentions) {
    parts.push(text.slice(from, begin), make("mark", "mention", text.slice(begin, to)));
    from = to;
  }
  return [...parts, text.slice(from)];
}

// A list of {text} and {text, href, host}, in order. All `text` values joined are the whole text. `host` is the link's
// real host if the visible text suggests another host (a name before an @, letters that look like others), else "".
export function pieces(text) {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    if (match.groups.before) continue;
    const address = withoutTail(match[0]);
    const goal = goalOf(address);
    if (!goal) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    found.push({ text: address, ...goal });
    from = match.index + address.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

// Names that mention all members. They count only in a message of an administrator.
const ALL_MEMBERS = ["所有人", "all"];

// Where a message with this text mentions the reader: a list of {begin, to}, in order. `me` is null for a guest.
export function mentionsFor({ text, role }, me, names) {
  if (!/[@＠]/.test(text)) return [];
  const own = me ? mentionsOf(text, me.name, names()) : [];
  const all = role === "administrator" ? ALL_MEMBERS.flatMap((name) => mentionsOf(text, name)) : [];
  // A member's name can be one of ALL_MEMBERS.
  return [...all, ...own.filter(({ begin }) => all.every((each) => each.begin !== begin))].sort((a, b) => a.begin - b.begin);
}

const WORD = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Nd}_]/u;

// Where `text` mentions `name` with @ or ＠: a list of {begin, to}. A name in Latin letters must end at a word boundary,
// so @lily does not mention li. Names of `longer` that start with `name` are tried first, so @小明明 does not mention 小明.
export function mentionsOf(text, name, longer = []) {
  const { folded, from, to } = foldedWithPlaces(text);
  const wanted = fold(name);
  const others = longer.map(fold).filter((each) => each !== wanted && each.startsWith(wanted));
  // True if the name is here and does not end inside a character of the text.
  const isNamed = (each, at) =>
    folded.startsWith(each, at) &&
    from[at + each.length] !== from[at + each.length - 1] &&
    !(WORD.test(each.charAt(each.length - 1)) && WORD.test(folded.charAt(at + each.length)));
  const found = [];
  for (let at = folded.indexOf("@"); at >= 0; at = folded.indexOf("@", at + 1)) {
    if (at > 0 && WORD.test(folded.charAt(at - 1))) continue;
    if (!isNamed(wanted, at + 1) || others.some((each) => isNamed(each, at + 1))) continue;
    found.push({ begin: from[at], to: to[at + wanted.length] });
  }
  return found;
}

const ONE_GLYPH = String.raw`(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)(?:\p{EMod}|\uFE0F|\u200D\p{Emoji}\uFE0F?)*`;
const FEW_GLYPHS = new RegExp(`^(?:${ONE_GLYPH}\\s?){1,3}$`, "u");

// True if the text is one to three emoji and nothing else: then it is drawn larger, without a bubble.
export function isOnlyEmoji(text) {
  return text.length < 40 && FEW_GLYPHS.test(text);
}

// Characters as the server counts them: code points instead of UTF-16 units.
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

// The segmenter is reused, because making one takes as long as drawing a message.
let segmenter;

// The first character of a name as a reader sees it, for a drawn face.
export function initial(name) {
  if (globalThis.Intl?.Segmenter) segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const segments = segmenter ? segmenter.segment(name) : [...name].map((segment) => ({ segment }));
  for (const { segment } of segments) return segment.toLocaleUpperCase();
  return "·";
}

function withoutTail(address) {
  const trimmed = address.replace(TRAILING, "");
  // In "(https://host/a_(b))" the address keeps the last bracket that it opened itself.
  const opened = (trimmed.match(/\(/g) ?? []).length;
  const closed = (trimmed.match(/\)/g) ?? []).length;
  return opened > closed && address.startsWith(`${trimmed})`) ? `${trimmed})` : trimmed;
}

// {href, host} of an address, or null if the text is no address.
function goalOf(address) {
  const isBare = !/^https?:/i.test(address);
  // A host needs two dots, because "www.example" is no address.
  if (isBare && !/^www\.[^./]+\.[^./]/iu.test(address)) return null;
  try {
    const { protocol, href, host, hostname } = new URL(isBare ? `http://${address}` : address);
    if (!hostname || (protocol !== "http:" && protocol !== "https:")) return null;
    return { href, host: readHost(address) === hostname ? "" : host };
  } catch {
    return null;
  }
}

// The host as the reader sees it: the text before the path, without the port.
function readHost(address) {
  return /^(?:https?:\/\/)?([^/?#\\]*)/iu.exec(address)[1].toLowerCase().replace(/:\d*$/, "");
}

// A picture up to this side in px is its own thumbnail, and can be animated in the list (chatserver/media/images.py).
const MOVING_SIDE = 480;

// If the system is set to reduce motion, shows only the first frame after the picture is loaded. A larger picture has a
// still thumbnail already.
export function holdStill(picture, { width, height }) {
  if (Math.max(width, height) > MOVING_SIDE || !matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  picture.addEventListener("load", () => (picture.src = firstFrame(picture)), { once: true });
}

function firstFrame(picture) {
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL();
}
