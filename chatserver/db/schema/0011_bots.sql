-- The role "bot". SQLite cannot change a CHECK, so the column is made again.
DROP TRIGGER invites_end;
ALTER TABLE users RENAME COLUMN role TO role_before;
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'administrator', 'bot'));
UPDATE users SET role = role_before;
ALTER TABLE users DROP COLUMN role_before;
CREATE TRIGGER invites_end AFTER UPDATE OF role, banned ON users WHEN NEW.role <> 'administrator' OR NEW.banned <> 0
BEGIN
    DELETE FROM invites WHERE made_by = NEW.id;
END;

-- Bots in use. If a bot is removed, the member's row stays, because its messages refer to it.
CREATE TABLE bots (
    user_id         INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash      BLOB    NOT NULL UNIQUE,
    manages_windows INTEGER NOT NULL DEFAULT 0,
    made_by         INTEGER NOT NULL REFERENCES users (id),
    created_ms      INTEGER NOT NULL,
    used_ms         INTEGER
) STRICT;
