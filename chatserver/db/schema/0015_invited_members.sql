-- The invitation by which each member joined. An invitation is deleted with its last use. Its time and its maker (NULL:
-- the operator) stay here, for the list of its members.
CREATE TABLE used_invites (
    id         INTEGER PRIMARY KEY,
    code_hash  BLOB    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    made_by    INTEGER REFERENCES users (id)
) STRICT;
ALTER TABLE users ADD COLUMN used_invite_id INTEGER REFERENCES used_invites (id);
CREATE INDEX users_by_used_invite ON users (used_invite_id) WHERE used_invite_id IS NOT NULL;
