// Days and times in the reader's own zone and language.

const RUN_MS = 5 * 60_000;
const QUARTER_MS = 15 * 60_000;

export class Dates {
  #today;
  #time;
  #exact;
  #day;
  #dayOfYear;
  #days = new Map();

  // `words` gives `today` and `yesterday`; `zone` undefined means the reader's own.
  constructor(lang, words, zone) {
    this.words = words;
    this.#time = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
    this.#exact = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "medium", timeZone: zone });
    this.#day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: zone });
    this.#today = new Intl.DateTimeFormat(lang, { month: "long", day: "numeric", weekday: "long", timeZone: zone });
    this.#dayOfYear = new Intl.DateTimeFormat(lang, { year: "numeric", month: "long", day: "numeric", timeZone: zone });
  }

  time(ms) {
    return this.#time.format(ms);
  }

  exact(ms) {
    return this.#exact.format(ms);
  }

  // "2026-11-22", to compare with.
  // Asked twice for each message at each drawing, and formatting is slow: no zone changes its day
  // but at a full quarter of an hour, so one answer serves all of it.
  dayKey(ms) {
    const quarter = Math.floor(ms / QUARTER_MS);
    if (!this.#days.has(quarter)) this.#days.set(quarter, this.#day.format(ms));
    return this.#days.get(quarter);
  }

  // 今天, 昨天, or the date: with its weekday this year, with its year otherwise.
  dayName(ms, now_ms) {
    const key = this.dayKey(ms);
    if (key === this.dayKey(now_ms)) return this.words.today;
    if (key === this.dayKey(now_ms - 86_400_000)) return this.words.yesterday;
    return (key.slice(0, 4) === this.dayKey(now_ms).slice(0, 4) ? this.#today : this.#dayOfYear).format(ms);
  }
}

// Whether `message` goes on with the run of `previous`: same author, within five minutes, both plain.
export function continuesRun(previous, message) {
  return Boolean(
    previous &&
      previous.user_id === message.user_id &&
      isPlain(previous) &&
      isPlain(message) &&
      message.created_ms - previous.created_ms < RUN_MS,
  );
}

function isPlain(message) {
  return message.state === "live" && message.kind !== "preset";
}
