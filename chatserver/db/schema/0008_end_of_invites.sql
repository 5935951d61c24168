-- An invitation ends for good when its maker is no longer an administrator. After a new promotion, its maker must make
-- another one.
CREATE TRIGGER invites_end AFTER UPDATE OF role, banned ON users WHEN NEW.role <> 'administrator' OR NEW.banned <> 0
BEGIN
    DELETE FROM invites WHERE made_by = NEW.id;
END;
DELETE FROM invites WHERE made_by IS NOT NULL AND made_by NOT IN
    (SELECT id FROM users WHERE role = 'administrator' AND banned = 0);
