// The next ordering window that opens by itself: one line in the place of the window, while none is open. Loaded with
// the first plan (room.js).

import { make } from "../elements/dom.js";
import { language, t } from "../words/words.js";

const REDRAW_MS = 60_000; // After midnight the text "tomorrow" must become "today".
const NEAR_DAYS = 6;
const DAY_MS = 86_400_000;

const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const zoneName = new Intl.DateTimeFormat(language, { timeZoneName: "short" });
let line = null;

// room.planned is {title, opens_ms, by, zone}, or null.
export function show(room) {
  line ??= new Line(room, document.getElementById("planned"));
  line.draw();
}

class Line {
  #room;
  #root;

  constructor(room, root) {
    this.#room = room;
    this.#root = root;
    room.window.addEventListener("change", () => this.draw());
    setInterval(() => this.draw(), REDRAW_MS);
  }

  draw() {
    const { planned, window, dates, now } = this.#room;
    const isShown = planned !== null && !window.isOpen && planned.opens_ms > now();
    this.#root.hidden = !isShown;
    if (!isShown) return;
    const { title, opens_ms, by, zone } = planned;
    const time = make("time", "planned-time tabular", `${dayOf(opens_ms, now(), dates)} ${dates.time(opens_ms)}`);
    time.dateTime = new Date(opens_ms).toISOString();
    time.title = `${dates.exact(opens_ms)} ${ownZone(opens_ms)} · ${t("planned_by", { name: by })}`;
    const parts = [make("span", "", t("next_window")), time];
    if (!isSameTime(opens_ms, zone)) parts.push(make("span", "planned-zone", t("own_time")));
    if (title) parts.push(make("bdi", "planned-title", title));
    this.#root.replaceChildren(...parts.flatMap((part) => [part, " "]));
  }
}

// 今天, 明天, within a week the weekday, else the date.
function dayOf(ms, now_ms, dates) {
  if (dates.dayKey(ms) === dates.dayKey(now_ms + DAY_MS)) return t("tomorrow");
  const isNear = dates.dayKey(ms) !== dates.dayKey(now_ms) && ms - now_ms < NEAR_DAYS * DAY_MS;
  return isNear ? weekday.format(ms) : dates.dayName(ms, now_ms);
}

// True if the reader's clock and the room's clock show the same time at that moment; false if this browser does not
// know the zone.
function isSameTime(ms, zone) {
  try {
    return clock(ms, zone) === clock(ms);
  } catch {
    return false;
  }
}

function clock(ms, timeZone) {
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone }).format(ms);
}

function ownZone(ms) {
  return zoneName.formatToParts(ms).find(({ type }) => type === "timeZoneName").value;
}
