-- Windows that open by themselves. A plan offers the template of that id, or else title, note and items (the JSON that
-- `start` takes). If `seconds` is NULL, the template's length is used, else the setting. A template may be removed, so
-- it is not a foreign key. `repeat` says how `at` ("HH:MM" in the room's time zone) recurs: on the one `day`, daily, or
-- on the `weekdays` (digits, 1 is Monday). `next_day` is the day of the next opening, and `opens_ms` the opening in
-- Unix ms, by the time zone at the time of computing. NULL: there is no further opening. `last_ms` and `last_outcome`
-- describe the last opening.
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

-- 1: a plan opened the window.
ALTER TABLE windows ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
