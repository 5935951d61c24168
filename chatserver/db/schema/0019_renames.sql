-- The last change of each member's name, for a day: until then there is no other. The old name is shown meanwhile, and is
-- free for no other member; NULL where an administrator took the name away.
CREATE TABLE renames (
    user_id      INTEGER PRIMARY KEY REFERENCES users (id),
    renamed_ms   INTEGER NOT NULL,
    old_name     TEXT,
    old_skeleton TEXT
) STRICT;
CREATE INDEX renames_by_time ON renames (renamed_ms);
CREATE INDEX renames_by_skeleton ON renames (old_skeleton) WHERE old_skeleton IS NOT NULL;
