-- What administrators and the operator did. Names are those of the members' rows, so that one that was taken away is
-- kept nowhere.
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
