// Reads the quantities in an order of free text. The result is a suggestion, which an administrator confirms or
// corrects. If a text has two meanings, the result has neither: a sum that is too small and says so is better than a
// wrong sum.

import { parse, quantity } from "../models/amounts.js";
import { normalized, tokensOf } from "./amount_tokens.js";

// The server's limits: chatserver/features/ledger/readings.py.
const LINES_MAX = 20;
const NAME_MAX = 40;
const HUNDREDTHS_MAX = 99_999_999;

// These characters separate clauses. The numbers "1,200" and "2.5" contain none of them.
const SEPARATORS = /[,;。!?、|\n()[\]【】{}"“”<>《》·•…&+]|\.(?=\s|$)/;
const LIST_NUMBER = /^\s*\d{1,2}\s*[.、)](?!\d)\s*/;

// If a text or a clause contains one of these, its amounts do not say what is ordered.
const TEXT_TAKEN_BACK = /改成|改为|换成|不对|算了|取消|作废|不要了|不用了|别要|\binstead\b|\bcancel/;
const CLAUSE_IN_DOUBT = /各|每(?!日)|大约|大概|差不多|至少|最多|不超过|[上近数]百|约\s*[\d一二两三四五六七八九十半]|或|\b(?:each|every|about|around|approximately|total|or|per|least|most|street|road|avenue|lane)\b/;

const FRONT = /^(?:老板娘?|您好|你好|麻烦|请|帮我(?:带|拿|买|留|订|来)?|给我(?:带|拿|买|留|订|来)?|我们家|我家|我们|我(?:还)?(?:想)?(?:要|订|买|来)|想要|需要|还要|再[来要加买]|下单|预[订定]|订购|就要|要|买)+/;
const WHOLE_FILLER = /^(?:我|我们|就|来|拿|带|加|订|定|留|再|还|先|取|来拿|来取|去拿|帮忙|谢谢.*|谢了|多谢|收到|好的?|[啊呀啦了哟噢嘛]+|ok|hi|hello)$/;
const BACK = /(?:谢谢(?:老板|您|你)?|谢了|多谢|[哈哦呢吧啊呀嘛])+$/;
// These words can stand between a name and its amount: "蓝莓我要两盒".
const BEFORE_AMOUNT = /(?:(?:麻烦|请|帮我|给我|我|就|还|再)*(?:要|来|买|订|定|拿|留)|(?:帮我|给我|再|还)(?:带|加))$/;
const FRONT_WORDS = /^(?:(?:i|we|i'd|i’d|i'll|want|would|like|need|get|take|have|order|give|me|us|can|could|please|pls|also|just|some|of|for|the|my|hi|hello|thanks|thank|you)(?:\s+|$))+/;
const BACK_WORDS = /(?:(?:^|\s+)(?:please|pls|thanks|thank|you|thx))+$/;
const JOINS_FRONT = /^(?:以及|还有|另外|外加|和(?!田|牛|果子)|跟|与|及|加(?!多宝|拿大|州)|and(?:\s+|$))/;
const JOINS_BACK = /(?:以及|还有|另外|外加|[和跟与及加]|(?:^|\s+)and)$/;

// Matches no text.
const NOTHING = /^\b\B/;

// Words that say how, when and where, but not which item.
const REMARK = /^(?:不(?:要|用|放|吃|辣|加|太|能|含|需)|多(?:放|加|点|给|一)|少(?:放|加|糖|冰|油|辣|盐|点)|全(?:糖|冰|熟|部)|去(?:冰|皮|骨|壳|糖)|微(?:糖|冰|辣|热)|半糖|常温$|代[拿取收付]|别|勿|尽量|最好|麻烦|送|自取|自提|帮|谢|挑|新鲜[一点的]|上午|下午|早上|中午|晚上|今[天晚]|明[天晚]|后天|周[一二三四五六日天]|星期|来[拿取]|取货|已|付|转账)|的$/;
const NO_NAME = /^(?:同上|同|照旧|老样子|老规矩|随便|其他|其中|现在|原来|一?共计?|总[共计]?|合计|小计|我们?|你们?|他们?|大家|total|same|people|today|tomorrow|tonight|\w+day)$|^(?:more|extra|another|other)\b|^给|^换|减到|从$|[退换欠差补送赠剩少群号]$|上次|一样|不要|不用|别|取消|没|减少|[^日]改|^改|送到|.[和跟与及].|\band\b|一人|咱|人均|小区|大厦|公寓|广场|号楼|单元|电话|手机|微信|尾号|房号|门牌|编号/;
const JOINED_NAME = /调和|和田|和牛|和果子/g;
const EDGES = /^[\s,:=~\-–—_#*×'’的\p{Extended_Pictographic}\u200d\ufe0f]+|[\s,:=~\-–—_#*×'’\p{Extended_Pictographic}\u200d\ufe0f]+$/gu;

// {lines: [{name, quantity, unit}], rest}; `rest`: the words that were not understood, "" if all were.
export function readQuantities(words) {
  const text = normalized(words);
  const found = TEXT_TAKEN_BACK.test(text) ? [] : clauses(text).map((clause) => readClause(words, text, clause));
  const lines = found.flatMap((clause) => clause.lines);
  if (!lines.length || lines.length > LINES_MAX) return { lines: [], rest: words.trim() };
  return { lines, rest: found.flatMap((clause) => clause.rest).join(" ") };
}

// The sums by name and unit of many readings' lines, in the order of the names.
export function sumLines(readings) {
  const sums = new Map();
  for (const { name, unit, quantity: amount } of readings.flat()) {
    const key = JSON.stringify([name, unit].map((each) => normalized(each).trim().replace(/\s+/g, " ")));
    const sum = sums.get(key) ?? { name, unit, hundredths: 0 };
    sum.hundredths += parse(amount);
    sums.set(key, sum);
  }
  const order = new Intl.Collator();
  return [...sums.values()]
    .map(({ name, unit, hundredths }) => ({ name, unit, quantity: quantity(hundredths) }))
    .sort((a, b) => order.compare(a.name, b.name) || order.compare(a.unit, b.unit));
}

// [{start, end, isAside}]; text in brackets is an aside: "苹果10斤（5斤红富士，5斤嘎啦）".
function clauses(text) {
  const found = [];
  let start = 0;
  let depth = 0;
  const close = (end) => {
    const from = start + (isLineStart(text, start) ? LIST_NUMBER.exec(text.slice(start, end))?.[0].length ?? 0 : 0);
    if (text.slice(from, end).trim()) found.push({ start: from, end, isAside: depth > 0 });
  };
  for (let at = 0; at < text.length; at += 1) {
    const isListNumber = /[、.)]/.test(text[at]) && isLineStart(text, start) && /^\s*\d{1,2}$/.test(text.slice(start, at));
    if (isListNumber || !separates(text, at)) continue;
    close(at);
    start = at + 1;
    if (/[([{【]/.test(text[at])) depth += 1;
    else if (/[)\]}】]/.test(text[at])) depth = Math.max(0, depth - 1);
  }
  close(text.length);
  return found;
}

function separates(text, at) {
  const found = SEPARATORS.exec(text.slice(at, at + 2));
  if (found?.index !== 0) return false;
  const isInNumber = text[at] === "," && /\d/.test(text[at - 1] ?? "") && /\d/.test(text[at + 1] ?? "");
  return !isInNumber;
}

function isLineStart(text, at) {
  return at === 0 || text[at - 1] === "\n";
}

function readClause(words, text, { start, end, isAside }) {
  const all = tokensOf(text, start, end).flatMap(withoutFillers);
  const isInDoubt = isAside || CLAUSE_IN_DOUBT.test(text.slice(start, end)) || all.some(({ type }, i) => type === "V" || (type === "M" && i < all.length - 1));
  const lines = isInDoubt ? [] : segments(all).flatMap(readSegment);
  if (!lines.length) return isOnlyFiller(all) ? { lines, rest: [] } : { lines, rest: [words.slice(start, end).trim()] };
  const used = new Set(lines.flatMap(({ tokens }) => tokens));
  const rest = pieces(all.filter((token) => !used.has(token) && token.type !== "F")).map(([from, to]) => words.slice(from, to).trim());
  return { lines: lines.map((line) => written(words, line)), rest };
}

function isOnlyFiller(tokens) {
  return tokens.length > 0 && tokens.every(({ type }) => type === "F");
}

// Cuts words that order nothing ("我要", "谢谢", "and") from a name. If nothing is left, it becomes a token F.
function withoutFillers(token, i, all) {
  if (token.type !== "N") return [token];
  let { start, end, text } = token;
  const drop = (front, back) => {
    const cut = front.exec(text)?.[0].length ?? 0;
    const left = text.slice(cut);
    const tail = cut === text.length ? 0 : back.exec(left)?.[0].length ?? 0;
    start += cut;
    end -= tail;
    text = left.slice(0, left.length - tail);
  };
  const [afterAmount, beforeAmount] = [all[i - 1]?.type === "A", all[i + 1]?.type === "A"];
  drop(afterAmount ? JOINS_FRONT : NOTHING, beforeAmount ? JOINS_BACK : NOTHING);
  const joins = text.length < token.text.length && !text;
  const words = { start, end, text };
  drop(FRONT, BACK);
  drop(FRONT_WORDS, BACK_WORDS);
  if (beforeAmount) drop(NOTHING, BEFORE_AMOUNT);
  if (!text.trim() || WHOLE_FILLER.test(text)) return [{ ...token, type: "F", joins }];
  if (REMARK.test(text) && !(beforeAmount && !all[i + 1].gap)) return [{ ...token, ...words, type: "R" }];
  return [{ ...token, start, end, text }];
}

// Runs of names and amounts; other tokens separate them.
function segments(tokens) {
  const found = [[]];
  for (const [i, token] of tokens.entries()) {
    if (token.type === "N" || token.type === "A") {
      found[found.length - 1].push({ ...token, token, isCut: touchesNumber(tokens, i) });
    } else if (token.type !== "F" || token.joins) {
      found.push([]);
    }
  }
  return found.filter((segment) => segment.length);
}

function touchesNumber(tokens, i) {
  const [before, after] = [tokens[i - 1], tokens[i + 1]];
  return (before?.type === "U" && !tokens[i].gap) || (after?.type === "U" && !after.gap);
}

// The lines of a segment: [{name token, amount token, tokens}].
function readSegment(segment) {
  const chunks = chunksOf(segment);
  const whole = pattern(segment);
  const contradicts = (first, other) => chunks.some((chunk) => chunk[0].type === first && chunk.some(({ type }) => type === other));
  if (/^(?:NA)+$/.test(whole) && !contradicts("A", "N")) return pairs(segment);
  if (/^(?:AN)+$/.test(whole) && !contradicts("N", "A")) return pairs(segment);
  const runs = runsOf(chunks);
  return runs.filter((run, i) => isRead(run) && !isBesideLooseAmount(run, i, runs)).flatMap((run) => pairs(nearestNames(run)));
}

// Tokens that touch each other.
function chunksOf(segment) {
  const found = [];
  for (const token of segment) {
    if (token.gap || !found.length) found.push([]);
    found[found.length - 1].push(token);
  }
  return found;
}

function pattern(tokens) {
  return tokens.map(({ type }) => type).join("");
}

// A chunk of several tokens is a run of its own. The single tokens between such chunks are read together.
function runsOf(chunks) {
  const runs = [];
  for (const chunk of chunks) {
    const last = runs[runs.length - 1];
    if (chunk.length === 1 && last?.isLoose) last.tokens.push(chunk[0]);
    else runs.push({ isLoose: chunk.length === 1, tokens: [...chunk] });
  }
  return runs;
}

function isRead({ isLoose, tokens }) {
  return (isLoose ? /^(?:(?:N+A)+|(?:AN+)+|N+)$/ : /^(?:(?:NA)+|(?:AN)+)$/).test(pattern(tokens));
}

// True if an amount without a name is beside the run, because it may belong to this line.
function isBesideLooseAmount(run, i, runs) {
  if (run.isLoose) return false;
  const isLooseAmount = (other, token) => other?.isLoose && !isRead(other) && token(other.tokens).type === "A";
  return isLooseAmount(runs[i - 1], (tokens) => tokens[tokens.length - 1]) || isLooseAmount(runs[i + 1], (tokens) => tokens[0]);
}

// If several names stand before or after an amount, keeps the nearest one.
function nearestNames({ tokens }) {
  const step = tokens[0].type === "N" ? 1 : -1;
  return tokens.filter(({ type }, i) => type === "A" || tokens[i + step]?.type === "A");
}

// Pairs of a name and an amount, in either order; none if a name is not valid.
function pairs(tokens) {
  const found = [];
  for (let i = 0; i + 1 < tokens.length; i += 2) {
    const isNameFirst = tokens[i].type === "N";
    const [name, amount] = isNameFirst ? [tokens[i], tokens[i + 1]] : [tokens[i + 1], tokens[i]];
    if (!isName(name) || amount.hundredths > HUNDREDTHS_MAX) return [];
    if (isNameFirst && /^[块塊]$/.test(amount.unit)) return []; // In "豆腐3块", the amount may be money.
    found.push({ name, amount, tokens: [name.token, amount.token] });
  }
  return found;
}

function isName({ text, isCut }) {
  const name = text.replace(EDGES, "");
  return !isCut && name.length <= NAME_MAX && /\p{L}/u.test(name) && !REMARK.test(name) && !NO_NAME.test(name.replace(JOINED_NAME, ""));
}

function written(words, { name, amount }) {
  return {
    name: words.slice(name.start, name.end).replace(EDGES, "").replace(/\s+/g, " "),
    quantity: quantity(amount.hundredths),
    unit: amount.unit,
  };
}

// Joins neighbouring tokens to pieces of the text: [[start, end]].
function pieces(tokens) {
  const found = [];
  for (const { start, end, gap } of tokens) {
    const last = found[found.length - 1];
    if (last && !gap && last[1] === start) last[1] = end;
    else found.push([start, end]);
  }
  return found;
}
