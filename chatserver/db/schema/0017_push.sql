-- Web Push: the push subscription of a session's browser and its kinds of notification, one row for a session. The row
-- is deleted with the session. Quiet hours are minutes after midnight in the room's time zone, both NULL for none.
CREATE TABLE push_subscriptions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id INTEGER NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    endpoint   TEXT    NOT NULL UNIQUE,
    public_key BLOB    NOT NULL,
    auth       BLOB    NOT NULL,
    language   TEXT    NOT NULL,
    opened     INTEGER NOT NULL,
    closes     INTEGER NOT NULL,
    named      INTEGER NOT NULL,
    words      INTEGER NOT NULL,
    quiet_from INTEGER CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to   INTEGER CHECK (quiet_to BETWEEN 0 AND 1439),
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX push_subscriptions_of_user ON push_subscriptions (user_id);
