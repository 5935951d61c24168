// The end of a window by the clock of the room. The reader's own time zone does not matter.

const DAY_S = 86_400;

// Whole seconds, from 1 to a day, from `now_ms` until it is next "20:00" in the time zone.
export function secondsUntil(time, zone, now_ms) {
  const [hours, minutes] = time.split(":").map(Number);
  const wanted = hours * 3600 + minutes * 60;
  const ahead = (wanted - secondOfDay(zone, now_ms) + DAY_S) % DAY_S || DAY_S;
  // On a night when the clocks change, the day is an hour shorter or longer.
  const missed = wanted - secondOfDay(zone, now_ms + ahead * 1000);
  const nearest = missed - DAY_S * Math.round(missed / DAY_S);
  return Math.min(DAY_S, Math.max(1, ahead + nearest));
}

function secondOfDay(zone, ms) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const [hours, minutes, seconds] = format.format(ms).split(":").map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}
