-- One-time links to set a new password, at most one for a member. The token is stored as a hash. `made_by` is NULL for
-- the operator.
CREATE TABLE password_links (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id),
    token_hash BLOB    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    made_by    INTEGER REFERENCES users (id)
) STRICT;
-- A link ends when its member's password, role or ban changes, and when its maker is no longer an administrator.
CREATE TRIGGER password_links_end AFTER UPDATE OF password, role, banned ON users
WHEN NEW.password <> OLD.password OR NEW.role <> OLD.role OR NEW.banned <> OLD.banned
BEGIN
    DELETE FROM password_links
    WHERE user_id = NEW.id OR (made_by = NEW.id AND (NEW.role <> 'administrator' OR NEW.banned <> 0));
END;
