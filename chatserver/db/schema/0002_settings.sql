-- What the room's administrators changed on the settings page, as they typed it. It wins over the
-- operator's word; NULL: given back to the operator, and this is who did it.
CREATE TABLE settings (
    name       TEXT PRIMARY KEY,
    value      TEXT,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;

-- Invitations that still work. Only a hash of the code: who reads this file cannot come in with it.
CREATE TABLE invites (
    code_hash  BLOB PRIMARY KEY,
    uses_left  INTEGER NOT NULL CHECK (uses_left > 0),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX invites_by_expiry ON invites (expires_ms);
