// Numbers as members write them, in whole hundredths: "2.5", "十二", "廿", "两百", "半".

import { parse } from "../models/amounts.js";

const ARABIC = /\d+(?:\.\d+)?/y;
const HAN = /[零一二两兩三四五六七八九十百千廿卅半]+/y;
const VALUES = { 一: 1, 二: 2, 两: 2, 兩: 2, 三: 3, 四: 4, 五: 5, 六: 6, 七: 7, 八: 8, 九: 9 };
const WHOLE = /^(?:([一二两兩三四五六七八九])千)?(零)?(?:([一二两兩三四五六七八九]?)(百))?(零)?(?:([一二三四五六七八九]?)(十))?(零)?([一二三四五六七八九])?$/;

// The number that begins at `at`: {hundredths, end, isHan}. `hundredths` is null if the number is not exact ("两三",
// "一百二", "1.234", "007"). Returns a false value if there is no number.
export function numberAt(text, at) {
  const arabic = matchAt(ARABIC, text, at);
  if (arabic) return { hundredths: /^0\d/.test(arabic) ? null : parse(arabic) || null, end: at + arabic.length, isHan: false };
  const han = matchAt(HAN, text, at);
  return han && { hundredths: ofHan(han), end: at + han.length, isHan: true };
}

// The match of a sticky expression at this place, or "".
export function matchAt(sticky, text, at) {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? "";
}

// The hundredths of a Chinese number below 10,000, else null.
export function ofHan(run) {
  if (run === "半") return 50;
  if (run === "两" || run === "兩") return 200;
  const found = WHOLE.exec(run.replace(/^廿/, "二十").replace(/^卅/, "三十"));
  if (!found) return null;
  const [, thousands, zeroA, hundreds, hasHundreds, zeroB, tens, hasTens, zeroC, ones] = found;
  if (hasHundreds && !hundreds && thousands) return null;
  // Some readers take "一百二" for 120, others for 102.
  if (ones && !hasTens && (thousands || hasHundreds) && !(zeroA || zeroB || zeroC)) return null;
  const whole =
    (VALUES[thousands] ?? 0) * 1000 +
    (hasHundreds ? VALUES[hundreds] ?? 1 : 0) * 100 +
    (hasTens ? VALUES[tens] ?? 1 : 0) * 10 +
    (VALUES[ones] ?? 0);
  return whole ? whole * 100 : null;
}
