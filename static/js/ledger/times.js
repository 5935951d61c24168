// Times of a ledger, in the time zone of the room, as in its files. The reader's own time zone does not matter.

const formats = new Map();

// "2026-11-27 20:00:00"
export function dateTime(ms, zone) {
  return format("sv-SE", zone, { dateStyle: "short", timeStyle: "medium" }).format(ms);
}

// "20:00:00"
export function timeOfDay(ms, zone) {
  return format("sv-SE", zone, { timeStyle: "medium" }).format(ms);
}

// False if this browser does not know the zone, for example a zone that was renamed after the browser was made.
export function knows(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("sv-SE", { timeZone: zone }));
  } catch {
    return false;
  }
}

function format(locale, zone, options) {
  const key = JSON.stringify([zone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { ...options, ...(knows(zone) ? { timeZone: zone } : {}) }));
  return formats.get(key);
}
