-- The acts of administrators and the operator. Names come from the members' rows, so that a name that was taken away is
-- stored nowhere.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    act     TEXT    NOT NULL,
    done_by INTEGER REFERENCES users (id),  -- NULL: the operator
    user_id INTEGER REFERENCES users (id),  -- whom it concerns
    details TEXT    NOT NULL,               -- a JSON object
    device  TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_age ON audit (at_ms);
