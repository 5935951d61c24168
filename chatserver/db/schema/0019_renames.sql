-- The last change of each member's name, for a day. Until its end the member cannot change the name again. Meanwhile
-- the old name is shown, and no other member can take it. It is NULL if an administrator took the name away.
CREATE TABLE renames (
    user_id      INTEGER PRIMARY KEY REFERENCES users (id),
    renamed_ms   INTEGER NOT NULL,
    old_name     TEXT,
    old_skeleton TEXT
) STRICT;
CREATE INDEX renames_by_time ON renames (renamed_ms);
CREATE INDEX renames_by_skeleton ON renames (old_skeleton) WHERE old_skeleton IS NOT NULL;
