-- Settings that administrators changed on the settings page, as they typed them. They override the operator's values.
-- NULL: the override was removed, by this administrator.
CREATE TABLE settings (
    name       TEXT PRIMARY KEY,
    value      TEXT,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;

-- Valid invitations. The database has only a hash of the code, so a person who reads this file cannot use it to
-- register.
CREATE TABLE invites (
    code_hash  BLOB PRIMARY KEY,
    uses_left  INTEGER NOT NULL CHECK (uses_left > 0),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX invites_by_expiry ON invites (expires_ms);
