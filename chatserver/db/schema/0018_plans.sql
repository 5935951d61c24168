-- Windows that open by themselves. What one offers is the template of that id, or else title, note and items (the JSON
-- that `start` takes); `seconds` NULL: that of the template, else the setting. A template may be removed: no reference.
-- `repeat` says how `at` ("HH:MM" in the room's time zone) recurs: on the one `day`, daily, or on the `weekdays` (digits,
-- 1 is Monday). `next_day` is the day of the next opening and `opens_ms` that opening in Unix ms, by the zone in force
-- when it was computed; NULL: there is none any more. `last_ms` and `last_outcome` tell of the opening before.
CREATE TABLE plans (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    title        TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    items        TEXT    NOT NULL,
    template_id  INTEGER,
    seconds      INTEGER,
    repeat       TEXT    NOT NULL CHECK (repeat IN ('once', 'daily', 'weekly')),
    at           TEXT    NOT NULL,
    day          TEXT,
    weekdays     TEXT    NOT NULL,
    next_day     TEXT,
    opens_ms     INTEGER,
    last_ms      INTEGER,
    last_outcome TEXT    NOT NULL DEFAULT '',
    changed_ms   INTEGER NOT NULL,
    planned_by   INTEGER NOT NULL REFERENCES users (id)
) STRICT;
CREATE INDEX plans_by_time ON plans (opens_ms) WHERE opens_ms IS NOT NULL;

-- 1: it was opened by a plan.
ALTER TABLE windows ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
