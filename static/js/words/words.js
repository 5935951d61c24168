// The page's sentences, days and times, in the language that the server chose for this page.
//
// The sentences come from the one catalogue in chatserver/i18n: the server serves its part for this page as
// words/zh.js or words/en.js (see chatserver/i18n/scripts.py), which runs before the first module.

export const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

// Time left of this many seconds or more is shown in minutes.
export const LONG_S = 120;
const sentences = globalThis.roomWords ?? {};
const QUARTER_MS = 15 * 60_000;
// {name} is replaced by the value called name; {count|message|messages} by the first word if count is 1, else by the
// second.
const PLACE = /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g;

// A missing value leaves its {name}: see around() in elements/message.js.
export function t(key, values = {}) {
  return (sentences[key] ?? key).replace(PLACE, (place, name, one, many) => {
    if (one === undefined) return values[name] ?? place;
    return String(values[name]) === "1" ? one : many;
  });
}

// "100 秒"; from two minutes on "2:05".
export function timeLeft(seconds) {
  return seconds < LONG_S ? t("time_left", { seconds }) : clockFace(seconds);
}

// "2盒", "2 kg": a no-break space before a unit in Latin letters.
export function withUnit(quantity, unit) {
  return /^[a-z]/i.test(unit) ? `${quantity}\u00a0${unit}` : `${quantity}${unit}`;
}

// The lines and the note of an order as a list of texts: "蓝莓 2盒".
export function phrases({ lines, note }) {
  return [...lines.map(({ name, quantity, unit }) => `${name} ${withUnit(quantity, unit)}`), note].filter(Boolean);
}

// "1:05", or "1:00:05" from an hour on.
export function clockFace(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

// Days and times in the reader's own time zone.
export class Dates {
  #today;
  #time;
  #second;
  #exact;
  #day;
  #dayOfYear;
  #days = new Map();

  constructor() {
    this.#time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.#second = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
    this.#exact = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "medium" });
    this.#day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });
    this.#today = new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "long" });
    this.#dayOfYear = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", day: "numeric" });
  }

  time(ms) {
    return this.#time.format(ms);
  }

  // With its seconds: "20:00:00".
  second(ms) {
    return this.#second.format(ms);
  }

  exact(ms) {
    return this.#exact.format(ms);
  }

  // "2026-11-22", for comparing. It is called twice for each message at each drawing, and formatting
  // is slow, so the result is cached for each quarter of an hour. Every time zone changes its day at a
  // full quarter of an hour.
  dayKey(ms) {
    const quarter = Math.floor(ms / QUARTER_MS);
    if (!this.#days.has(quarter)) this.#days.set(quarter, this.#day.format(ms));
    return this.#days.get(quarter);
  }

  // 今天, 昨天, or the date: with its weekday this year, with its year otherwise.
  dayName(ms, now_ms) {
    const key = this.dayKey(ms);
    if (key === this.dayKey(now_ms)) return t("today");
    if (key === this.dayKey(now_ms - 86_400_000)) return t("yesterday");
    return (key.slice(0, 4) === this.dayKey(now_ms).slice(0, 4) ? this.#today : this.#dayOfYear).format(ms);
  }
}

// A character with its accents and voicing marks, or a run of Hangul parts. Normalising never joins two clusters.
const CLUSTER = /[\u1100-\u11ff]+|.[\p{M}\uff9e\uff9f]{0,30}/gsu;

// Text for comparing, as the server folds it (chatserver/core/folding.py): texts that read the same are equal. The
// browser's language has no effect: in Turkish "I" would not be "i".
export function fold(text) {
  return foldOnce(foldOnce(text));
}

function foldOnce(text) {
  return text.normalize("NFKC").toUpperCase().toLowerCase().replace(/ς/g, "σ");
}

// The folded text, which can have another length than `text`; and for each of its UTF-16 units the index in `text`
// at which the source characters begin (`from`) and end (`to`).
export function foldedWithPlaces(text) {
  let folded = "";
  const from = [];
  const to = [];
  for (const { 0: cluster, index } of text.matchAll(CLUSTER)) {
    const part = fold(cluster);
    folded += part;
    for (let i = 0; i < part.length; i += 1) {
      from.push(index);
      to.push(index + cluster.length);
    }
  }
  return { folded, from, to };
}
