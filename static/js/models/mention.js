// Finds the member whose name is being written after @ or ＠: by its characters, or by the first
// letters of their pinyin, so that "zs" finds 张三. No DOM: features/mention.js shows the names.

import { fold } from "../words/words.js";

// The first character of each pinyin initial, in the order of the browser's own collation, so that no
// dictionary is needed. A character with two readings is found only by its more usual reading.
const FIRSTS = [..."阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨它穵夕丫帀"];
const LETTERS = "abcdefghjklmnopqrstwxyz";
const HAN = /\p{Script=Han}/u;
const OFFERED_MAX = 6;
const NAME_MAX = 20;

const pinyin = new Intl.Collator("zh-u-co-pinyin");

// "z" for 张; any other character unchanged.
function initialOf(character) {
  if (!HAN.test(character)) return character;
  const after = FIRSTS.findIndex((first) => pinyin.compare(first, character) > 0);
  const at = (after < 0 ? FIRSTS.length : after) - 1;
  return at < 0 ? character : LETTERS[at];
}

// The mention that is being written at `caret`: {from, query}, or null. `from` is the index of its @.
export function queryAt(text, caret) {
  const before = text.slice(0, caret);
  const from = Math.max(before.lastIndexOf("@"), before.lastIndexOf("＠"));
  // An e-mail address has a letter before its @; a mention has none.
  if (from < 0 || /[A-Za-z0-9_.]/.test(before.charAt(from - 1))) return null;
  const query = before.slice(from + 1);
  return query.length > NAME_MAX || /\s/.test(query) ? null : { from, query };
}

// The names that match `query`: first the names that begin with it, then the names that contain it.
export function namesFor(query, names) {
  const wanted = [...fold(query)];
  const found = names.map((name) => ({ name, index: matchIndex(wanted, [...fold(name)]) }));
  return found
    .filter(({ index }) => index >= 0)
    .sort((a, b) => Math.sign(a.index) - Math.sign(b.index))
    .slice(0, OFFERED_MAX)
    .map(({ name }) => name);
}

// Each character of the query equals that of the name, or its initial: 张s, zs and 张三 all match 张三.
function matchIndex(wanted, name) {
  for (let at = 0; at + wanted.length <= name.length; at += 1) {
    if (wanted.every((character, i) => character === name[at + i] || character === initialOf(name[at + i]))) return at;
  }
  return -1;
}
