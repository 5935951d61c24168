// A clause of an order's text as tokens {type, start, end, gap}; `gap`: white space or a symbol is before it.
//   A  an amount: {hundredths, unit}
//   N  words that may be a name: {text}
//   X  a time, a place, a telephone number: no amount, and no part of a name
//   U  a number of no other type: a name that touches it may be incomplete
//   M  money
//   V  an amount that is not exact, or not ordered: nothing of its clause can be trusted
// The text must be a result of normalized().

import { matchAt, numberAt, ofHan } from "./numerals.js";

const HAN_UNITS = "公斤|千克|毫升|[大小]?(?:盒|袋|包|箱|瓶|罐|桶|份|杯|碗|筐|篮|籃|盘|盤|块|塊|个|個|只|隻|条|條|把|串|片)|斤|克|升|头|颗|顆|粒|根|捆|束|张|張|支|枝|棵|株|件|套|双|雙|对|提|板|扎|朵|卷|筒|听|枚|托|盆|坛|壶|副|本|尾|匣|屉|笼|台|节";
const LATIN_UNITS = "box(?:es)?|bags?|packs?|pkts?|packets?|bottles?|cans?|jars?|bunch(?:es)?|cartons?|cases?|crates?|trays?|baskets?|punnets?|pieces?|pcs?|kgs?|kilos?|grams?|g|lbs?|pounds?|oz|ounces?|lit(?:er|re)s?|l|ml|pints?|quarts?|gallons?|loaf|loaves|heads?|slices?|cups?|rolls?|sets?|pairs?|dozens?";
const WORDS = { a: 100, an: 100, half: 50, one: 100, two: 200, three: 300, four: 400, five: 500, six: 600, seven: 700, eight: 800, nine: 900, ten: 1000, eleven: 1100, twelve: 1200 };
const NUMBER = "(?:\\d+(?:\\.\\d+)?|[一二两兩三四五六七八九十百千廿卅半]+)";

const sticky = (source) => new RegExp(source, "y");
const UNIT = sticky(`\\s{0,2}(?:(?:${HAN_UNITS})|[两兩](?!${HAN_UNITS})|打(?!包|折|印|扫|电话)|(?:${LATIN_UNITS})(?![a-z0-9]))`);
const WORD_AMOUNT = sticky(`(half|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\\s+(?:an?\\s+)?(${LATIN_UNITS})(?![a-z0-9])`);
const WORD_NUMBER = sticky("(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\\s+(?=[a-z])");
const HALF = sticky(`半(?!糖|熟|价|脱|干|肥|筋|成|年|天|小时|个月|${HAN_UNITS})`);
const LIANG = sticky(`([1-9]|[一二三四五六七八九])[两兩](?!${HAN_UNITS})`);
const TIMES = sticky("[x×*]\\s*(?=[\\d一二两兩三四五六七八九十百半])");
const TIMES_AFTER = sticky("\\s*[x×*](?!\\s*\\d)(?![a-z])");
const PAIR = sticky("[俩倆仨][个個]?(?!人|口|孩|月|小时|星期|礼拜)");
// These words after an amount say that it is not exact, or that it is the size of a package.
const NOT_EXACT = sticky("装|左右|上下|以上|以下|以内|多|起(?!司)|\\s*/");

const PLACE_OR_TIME = sticky([
  "1[3-9]\\d[ -]?\\d{4}[ -]?\\d{4}(?!\\d)", // telephone numbers
  "\\d{3,4}-\\d{7,8}(?!\\d)",
  "\\d{7,}",
  "\\d{1,2}:\\d{2}(?:\\s*[ap]m)?",
  "\\d{1,2}\\s*(?:[ap]m|o'?clock)(?![a-z])",
  "(?:\\d{1,2}|[一二两兩三四五六七八九十]{1,3})\\s?点(?:钟|半|一刻|三刻|\\d{1,2}分)",
  "(?:\\d{1,2}|[二两兩三四五六七八九]|十[一二]?)\\s?点(?![心一二三四五六七八九十\\d])",
  "(?:\\d{1,4}\\s?年\\s?)?\\d{1,2}\\s?月(?:\\s?\\d{1,2}\\s?[日号]?)?",
  `${NUMBER}\\s?(?:(?:个|個)?半?(?:小时|钟头|分钟)|(?:个|個)半?(?:月|星期|礼拜|钟)|(?:个|個)(?:人|单元))`,
  "(?:(?:(?:\\d{1,4}|[a-z])\\s?(?:号楼|号院|栋|幢|单元|室|楼|座|弄)|[一二三四五六七八九十]{1,3}(?:号楼|号院|栋|幢|单元))\\s*)+(?:\\d{2,5}室?(?![\\d.]))?",
  `第\\s*${NUMBER}(?:${HAN_UNITS})?`,
  "(?:at|by|before|after|around|until|till|from|room|rm|apt|apartment|unit|no|number|table|order|seat|house|flat|block|floor|building|bldg|gate|door|tel|phone)\\b[.:#\\s]*\\d+(?::\\d+)?(?:\\s*[ap]m\\b)?",
  "#\\s*\\d+",
  "\\d+(?:st|nd|rd|th)\\b",
  "\\d+\\s+(?:hours?|hrs?|minutes?|mins?|days?|weeks?|months?|years?|people|persons?|adults?|kids|children)\\b",
].join("|"));
const MONEY = sticky(`[¥￥$]\\s*\\d+(?:\\.\\d+)?|${NUMBER}\\s*(?:元|[块塊](?:钱|的|\\s*(?:\\d|[一二三四五六七八九半](?!${HAN_UNITS})))|毛|角|rmb\\b|yuan\\b|dollars?\\b)`);
const VAGUE = sticky([
  `${NUMBER}\\s*(?:${HAN_UNITS})?\\s*[-~–—到至]\\s*${NUMBER}`,
  `${NUMBER}[几多来余](?=十|百|${HAN_UNITS})`,
  `几(?=十|百|${HAN_UNITS})`,
  "[一二三四五六七八九十]点[一二三四五六七八九十\\d]+",
  "\\d+\\s*[/,]\\s*\\d+",
  `${NUMBER}\\s*[x×*]\\s*${NUMBER}`,
  "and\\s+a\\s+half\\b",
  "/|½|¼|¾|⅓|⅔",
].join("|"));
// Every token except a name begins with one of these; most characters do not.
const STARTS = /[\da-z零一二两兩三四五六七八九十百千廿卅半几第俩倆仨¥￥$#/½¼¾⅓⅔x×*]/;
const LATIN_WORD = sticky("[a-z][a-z0-9'’-]*(?:\\.\\d+)*|\\d+[a-z][a-z0-9'’-]*");
// In "6寸蛋糕" and "1号套餐" the number is part of the name.
const SIZE_OR_KIND = sticky("\\d{1,2}(?:寸|号(?=套餐|餐|链接|电池|款|色|码))");
const LATIN = /^[a-z0-9'’ -]+$/;
const SYMBOL = /[\s:=~\-–—_#*×^\x60@.]/;

// The same text with half-width digits and signs and in lower case; every index stays valid.
export function normalized(text) {
  return Array.from(text, (character) => {
    const plain = character.normalize("NFKC").toLowerCase();
    return plain.length === character.length ? plain : character;
  }).join("").replace(/[✕✖╳]/g, "×").replace(/〇/g, "零");
}

export function tokensOf(text, start, end) {
  const clause = text.slice(0, end);
  const tokens = [];
  let at = start;
  let gap = true;
  while (at < end) {
    if (SYMBOL.test(clause[at]) && !matchAt(TIMES, clause, at) && !matchAt(PLACE_OR_TIME, clause, at)) {
      gap = true;
      at += 1;
      continue;
    }
    const token = tokenAt(clause, at, start);
    // The number of "3 apples" counts, but not the number of "3 天后".
    const opensName = tokens[tokens.length - 1]?.type !== "N" && !/^\s*(?:$|[a-z])/.test(clause.slice(token.end));
    if (token.isBare && opensName) token.type = "U";
    push(tokens, { ...token, start: at, gap }, clause);
    at = token.end;
    gap = false;
  }
  return tokens;
}

function tokenAt(clause, at, start) {
  const character = String.fromCodePoint(clause.codePointAt(at));
  if (!STARTS.test(character)) return { type: "N", text: character, end: at + character.length };
  const previous = clause[at - 1] ?? "";
  const opensWord = at === start || !/[a-z0-9]/.test(previous);
  for (const [type, expression] of [["V", VAGUE], ["X", PLACE_OR_TIME], ["M", MONEY]]) {
    const found = matchAt(expression, clause, at);
    if (found && (opensWord || !/^[a-z]/.test(found))) return { type, end: at + found.length };
  }
  const size = matchAt(SIZE_OR_KIND, clause, at);
  if (size) return { type: "N", text: size, end: at + size.length };
  const amount = pairAt(clause, at, previous) ?? wordAmountAt(clause, at, start) ?? amountAt(clause, at);
  if (amount) return amount;
  const word = matchAt(LATIN_WORD, clause, at) || character;
  return { type: "N", text: word, end: at + word.length };
}

// 俩 and 仨 are a number with its unit, but not in "我们俩".
function pairAt(clause, at, previous) {
  const found = matchAt(PAIR, clause, at);
  if (!found || /[们咱他她你我]/.test(previous)) return undefined;
  return { type: "A", hundredths: found[0] === "仨" ? 300 : 200, unit: "个", end: at + found.length };
}

// "two boxes", "half a dozen", "a kilo"; at the beginning of a clause also "two".
function wordAmountAt(clause, at, start) {
  WORD_AMOUNT.lastIndex = at;
  const found = WORD_AMOUNT.exec(clause);
  if (found) return withUnit(WORDS[found[1]], found[2], at + found[0].length);
  const word = at === start && matchAt(WORD_NUMBER, clause, at);
  return word ? { type: "A", hundredths: WORDS[word.trim()], unit: "", end: at + word.trim().length } : undefined;
}

function amountAt(clause, at) {
  const times = matchAt(TIMES, clause, at);
  const from = at + times.length;
  const number = numberAt(clause, from);
  if (!number) return undefined;
  if (clause.slice(from, number.end) === "千") return undefined; // 千张
  const end = number.isHan ? endOfHan(clause, from, number.end) : number.end;
  const hundredths = end === number.end ? number.hundredths : ofHan(clause.slice(from, end));
  const unit = matchAt(UNIT, clause, end);
  if (unit) {
    if (!hundredths) return { type: "V", end: end + unit.length };
    return withMore(withUnit(hundredths, unit.trim(), end + unit.length), clause);
  }
  if (times && hundredths && !/[a-z0-9.%]/.test(clause[end] ?? "")) return { type: "A", hundredths, unit: "", end };
  if (number.isHan) return undefined;
  const after = matchAt(TIMES_AFTER, clause, end);
  if (after && hundredths) return { type: "A", hundredths, unit: "", end: end + after.length };
  const isBare = hundredths && end - at <= 2 && /^(?:\s|$)/.test(clause.slice(end));
  if (isBare) return { type: "A", hundredths, unit: "", end, isBare };
  if (/[a-z]/.test(clause[end] ?? "")) return undefined;
  return { type: "U", end: clause[end] === "%" ? end + 1 : end };
}

// The last character of a Chinese number may belong to its unit: 一千克, 十两.
function endOfHan(clause, from, end) {
  if (end - from < 2) return end;
  const isKilo = clause[end - 1] === "千" && clause[end] === "克";
  const isWeight = /[两兩]/.test(clause[end - 1]) && !matchAt(UNIT, clause, end);
  return isKilo || isWeight ? end - 1 : end;
}

function withUnit(hundredths, unit, end) {
  if (unit === "打" || /^dozens?$/.test(unit)) return { type: "A", hundredths: hundredths * 12, unit: "", end, each: 1200 };
  return { type: "A", hundredths, unit, end, each: 100 };
}

// Adds a part after the unit: "一斤半", "一斤二两"; V if the next words make it inexact.
function withMore(amount, clause) {
  let { hundredths, end } = amount;
  const half = matchAt(HALF, clause, end);
  const liang = amount.unit === "斤" && matchAt(LIANG, clause, end);
  if (half) hundredths += amount.each / 2;
  else if (liang) hundredths += (ofHan(liang[0]) ?? Number(liang[0]) * 100) / 10;
  end += (half || liang || "").length;
  if (matchAt(NOT_EXACT, clause, end)) return { type: "V", end };
  return { type: "A", hundredths, unit: amount.unit, end };
}

// Joins consecutive words to one token: Chinese words that touch, Latin words also across a space.
function push(tokens, token, clause) {
  const last = tokens[tokens.length - 1];
  const isMore = token.type === "N" && last?.type === "N" && (!token.gap || (LATIN.test(last.text) && LATIN.test(token.text) && /^\s*$/.test(clause.slice(last.end, token.start))));
  if (!isMore) {
    tokens.push(token);
    return;
  }
  last.text += clause.slice(last.end, token.end);
  last.end = token.end;
}
