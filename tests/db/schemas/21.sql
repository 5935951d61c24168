BEGIN TRANSACTION;
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    act     TEXT    NOT NULL,
    done_by INTEGER REFERENCES users (id),  -- NULL: the operator
    user_id INTEGER REFERENCES users (id),  -- whom it concerns
    details TEXT    NOT NULL,               -- a JSON object
    device  TEXT    NOT NULL
) STRICT;
INSERT INTO "audit" VALUES(1,1795325003000,'window.open',1,NULL,'{"window": 1, "closes_ms": 1795325103000}','Chrome · Android');
CREATE TABLE bots (
    user_id         INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash      BLOB    UNIQUE,
    manages_windows INTEGER NOT NULL DEFAULT 0,
    rate            INTEGER NOT NULL DEFAULT 10,
    made_by         INTEGER NOT NULL REFERENCES users (id),
    created_ms      INTEGER NOT NULL,
    used_ms         INTEGER
) STRICT;
INSERT INTO "bots" VALUES(4,X'7777777777777777777777777777777777777777777777777777777777777777',1,10,1,1795320005000,NULL);
CREATE TABLE clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    boot      TEXT    NOT NULL,
    wall_ms   INTEGER NOT NULL,
    steady_ms INTEGER NOT NULL,
    behind_ms INTEGER NOT NULL,
    leapt_ms  INTEGER NOT NULL
) STRICT;
INSERT INTO "clock" VALUES(1,'boot',1795325000000,5000,0,0);
CREATE TABLE invites (
    code_hash  BLOB PRIMARY KEY,
    uses_left  INTEGER NOT NULL CHECK (uses_left > 0),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
, made_by INTEGER REFERENCES users (id)) STRICT;
INSERT INTO "invites" VALUES(X'3333333333333333333333333333333333333333333333333333333333333333',3,1795320000000,1797912000000,1);
CREATE TABLE items (
    window_id    INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    id           INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    price        INTEGER,
    stock        INTEGER,
    member_limit INTEGER,
    ordered      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (window_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "items" VALUES(1,1,'草莓','盒',2500,4000,NULL,200);
CREATE TABLE journal (
    id        INTEGER PRIMARY KEY,
    window_id INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,
    entry     INTEGER GENERATED ALWAYS AS (id & 0xffffffff) VIRTUAL,
    order_no  INTEGER,
    salt      BLOB,
    body      TEXT,
    leaf      BLOB    NOT NULL,
    head      BLOB    NOT NULL
) STRICT;
INSERT INTO "journal" VALUES(4294967297,NULL,X'55555555555555555555555555555555','{}',X'6666666666666666666666666666666666666666666666666666666666666666',X'4444444444444444444444444444444444444444444444444444444444444444');
CREATE TABLE marks (
    window_id INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    user_id   INTEGER NOT NULL REFERENCES users (id),
    paid      INTEGER NOT NULL DEFAULT 0,
    collected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (window_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "marks" VALUES(1,2,1,0);
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    seq             INTEGER NOT NULL,
    posted_seq      INTEGER NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'recalled', 'deleted')),
    kind            TEXT    NOT NULL CHECK (kind IN ('text', 'image', 'preset', 'order')),
    preset          TEXT             CHECK (preset IN ('start', 'stop', 'countdown', 'picture', 'amended')),
    user_id         INTEGER NOT NULL REFERENCES users (id),
    text            TEXT    NOT NULL DEFAULT '',
    image           TEXT    NOT NULL DEFAULT '',
    thumb           TEXT    NOT NULL DEFAULT '',
    width           INTEGER NOT NULL DEFAULT 0,
    height          INTEGER NOT NULL DEFAULT 0,
    media_key       TEXT    NOT NULL DEFAULT '',
    closes_ms       INTEGER,
    reply_to        INTEGER,
    client_id       TEXT    NOT NULL DEFAULT '',
    client_key      BLOB,
    created_ms      INTEGER NOT NULL,
    recall_until_ms INTEGER NOT NULL
, ended_by INTEGER REFERENCES users (id), window_id INTEGER, extra TEXT NOT NULL DEFAULT '', album TEXT, edited_ms INTEGER) STRICT;
INSERT INTO "messages" VALUES(3,3,3,'live','text',NULL,2,'今天有草莓吗','','',0,0,'',NULL,NULL,'c-1',X'11111111111111111111111111111111',1795325000000,1795325030000,NULL,NULL,'',NULL,1795325020000);
INSERT INTO "messages" VALUES(4,4,4,'live','image',NULL,1,'有的','images/dddddddddddddddddddddd.webp','images/dddddddddddddddddddddd.thumb.webp',1280,960,'dddddddddddddddddddddd',NULL,3,'',NULL,1795325001000,1795325031000,NULL,NULL,'','5e884898da280471',NULL);
INSERT INTO "messages" VALUES(5,6,5,'recalled','text',NULL,2,'','','',0,0,'',NULL,NULL,'',X'22222222222222222222222222222222',1795325002000,1795325032000,1,NULL,'',NULL,NULL);
INSERT INTO "messages" VALUES(6,7,7,'live','preset','start',1,'','','',0,0,'',1795325103000,NULL,'',NULL,1795325003000,1795325033000,NULL,1,'',NULL,NULL);
CREATE TABLE notice (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    text       TEXT    NOT NULL,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
INSERT INTO "notice" VALUES(1,'周五下午三点取货',1795325004000,1);
CREATE TABLE order_readings (
    message_id INTEGER PRIMARY KEY REFERENCES orders (message_id) ON DELETE CASCADE,
    lines      TEXT    NOT NULL
) STRICT;
INSERT INTO "order_readings" VALUES(6,'[{"name":"草莓","quantity":"2","unit":"盒"}]');
CREATE TABLE orders (
    message_id INTEGER PRIMARY KEY,
    window_id  INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    no         INTEGER NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    state      TEXT    NOT NULL DEFAULT 'accepted' CHECK (state = 'accepted' OR state = 'withdrawn'),
    lines      TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    total      INTEGER,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    client_key BLOB,
    posted_seq INTEGER NOT NULL,
    receipt    BLOB    NOT NULL
, entry INTEGER, window_closed INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "orders" VALUES(6,1,1,2,'accepted','[{"item":1,"name":"草莓","unit":"盒","quantity":"2","price":"25.00"}]','软一点',5000,1795325004000,1795325004000,NULL,7,X'4444444444444444444444444444444444444444444444444444444444444444',NULL,1);
CREATE TABLE password_links (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id),
    token_hash BLOB    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    made_by    INTEGER REFERENCES users (id)
) STRICT;
INSERT INTO "password_links" VALUES(2,X'8888888888888888888888888888888888888888888888888888888888888888',1795320000000,1795406400000,1);
CREATE TABLE pictures (
    name       TEXT PRIMARY KEY CHECK (name IN ('announcement', 'preset')),
    image      TEXT    NOT NULL,
    thumb      TEXT    NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
INSERT INTO "pictures" VALUES('announcement','room/eeeeeeeeeeeeeeeeeeeeee.webp','room/eeeeeeeeeeeeeeeeeeeeee.thumb.webp',800,600,1795320000000,1);
CREATE TABLE plans (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    title        TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    items        TEXT    NOT NULL,
    template_id  INTEGER,
    seconds      INTEGER,
    repeat       TEXT    NOT NULL CHECK (repeat IN ('once', 'daily', 'weekly')),
    at           TEXT    NOT NULL,
    day          TEXT,
    weekdays     TEXT    NOT NULL,
    next_day     TEXT,
    opens_ms     INTEGER,
    last_ms      INTEGER,
    last_outcome TEXT    NOT NULL DEFAULT '',
    changed_ms   INTEGER NOT NULL,
    planned_by   INTEGER NOT NULL REFERENCES users (id)
) STRICT;
INSERT INTO "plans" VALUES(1,'周五水果','','[{"name":"蓝莓"}]',NULL,600,'weekly','20:00',NULL,'5','2026-11-27',1795780800000,NULL,'',1795320008000,1);
CREATE TABLE push_subscriptions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id INTEGER NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    endpoint   TEXT    NOT NULL UNIQUE,
    public_key BLOB    NOT NULL,
    auth       BLOB    NOT NULL,
    language   TEXT    NOT NULL,
    opened     INTEGER NOT NULL,
    closes     INTEGER NOT NULL,
    named      INTEGER NOT NULL,
    words      INTEGER NOT NULL,
    quiet_from INTEGER CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to   INTEGER CHECK (quiet_to BETWEEN 0 AND 1439),
    created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "push_subscriptions" VALUES(1,2,1,'https://updates.push.services.mozilla.com/wpush/v2/abc',X'0411111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111',X'22222222222222222222222222222222','zh',1,1,1,0,1320,420,1795325000000);
CREATE TABLE reactions (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji      TEXT    NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "reactions" VALUES(3,'🎉',2);
INSERT INTO "reactions" VALUES(3,'👍',1);
CREATE TABLE renames (
    user_id      INTEGER PRIMARY KEY REFERENCES users (id),
    renamed_ms   INTEGER NOT NULL,
    old_name     TEXT,
    old_skeleton TEXT
) STRICT;
INSERT INTO "renames" VALUES(2,1795329000000,'明明','明明');
CREATE TABLE room (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    epoch         TEXT    NOT NULL,
    seq           INTEGER NOT NULL DEFAULT 0,
    first_id      INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO "room" VALUES(1,'0123456789abcdef',7,3);
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB    NOT NULL UNIQUE,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    agent      TEXT    NOT NULL DEFAULT '',
    address    TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO "sessions" VALUES(1,X'0101010101010101010101010101010101010101010101010101010101010101',1,1795320000000,1795325000000,1797912000000,'Firefox','192.0.2.1');
CREATE TABLE settings (
    name       TEXT PRIMARY KEY,
    value      TEXT,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
INSERT INTO "settings" VALUES('room_name','莉莉的小店',1795320003000,1);
INSERT INTO "settings" VALUES('text_max',NULL,1795320004000,1);
CREATE TABLE templates (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    title      TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    items      TEXT    NOT NULL,
    seconds    INTEGER,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
INSERT INTO "templates" VALUES(1,'水果','','[]',NULL,1795325004000,1);
CREATE TABLE used_invites (
    id         INTEGER PRIMARY KEY,
    code_hash  BLOB    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    made_by    INTEGER REFERENCES users (id)
) STRICT;
INSERT INTO "used_invites" VALUES(1,X'7777777777777777777777777777777777777777777777777777777777777777',1795320000000,1);
CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    skeleton   TEXT    NOT NULL UNIQUE,
    password   TEXT    NOT NULL,
    avatar     TEXT    NOT NULL DEFAULT '',
    muted_until_ms INTEGER NOT NULL DEFAULT 0,
    banned     INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
, read_id INTEGER NOT NULL DEFAULT 0, role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'administrator', 'bot')), used_invite_id INTEGER REFERENCES used_invites (id)) STRICT;
INSERT INTO "users" VALUES(1,'店长','店长','$2b$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','avatars/aaaaaaaaaaaaaaaaaaaaaa.webp',0,0,1795320000000,0,'administrator',NULL);
INSERT INTO "users" VALUES(2,'小明','小明','$2b$04$bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','',1795330000000,0,1795320001000,6,'member',1);
INSERT INTO "users" VALUES(3,'mallory','ma11ory','$2b$04$ccccccccccccccccccccccccccccccccccccccccccccccccccccc','',0,1,1795320002000,0,'member',NULL);
INSERT INTO "users" VALUES(4,'小助手','小助手','','',0,0,1795320005000,0,'bot',NULL);
CREATE TABLE windows (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    opened_ms INTEGER NOT NULL,
    closes_ms INTEGER NOT NULL,
    closed_ms INTEGER,
    opened_by INTEGER NOT NULL REFERENCES users (id)
, title TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', last_no INTEGER NOT NULL DEFAULT 0, orders INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0, entries INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000', planned INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "windows" VALUES(1,1795325003000,1795325103000,1795325103000,1,'','',0,0,0,0,X'0000000000000000000000000000000000000000000000000000000000000000',0);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE UNIQUE INDEX messages_by_client ON messages (user_id, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX messages_kept ON messages (id) WHERE state <> 'deleted';
CREATE INDEX messages_by_age ON messages (created_ms);
CREATE INDEX messages_by_recall ON messages (recall_until_ms) WHERE state = 'live';
CREATE INDEX messages_by_media ON messages (media_key) WHERE media_key <> '';
CREATE UNIQUE INDEX windows_open ON windows ((1)) WHERE closed_ms IS NULL;
CREATE INDEX invites_by_expiry ON invites (expires_ms);
CREATE INDEX windows_by_close ON windows (closed_ms) WHERE closed_ms IS NOT NULL;
CREATE TRIGGER invites_end AFTER UPDATE OF role, banned ON users WHEN NEW.role <> 'administrator' OR NEW.banned <> 0
BEGIN
    DELETE FROM invites WHERE made_by = NEW.id;
END;
CREATE INDEX audit_by_age ON audit (at_ms);
CREATE INDEX users_by_used_invite ON users (used_invite_id) WHERE used_invite_id IS NOT NULL;
CREATE TRIGGER password_links_end AFTER UPDATE OF password, role, banned ON users
WHEN NEW.password <> OLD.password OR NEW.role <> OLD.role OR NEW.banned <> OLD.banned
BEGIN
    DELETE FROM password_links
    WHERE user_id = NEW.id OR (made_by = NEW.id AND (NEW.role <> 'administrator' OR NEW.banned <> 0));
END;
CREATE INDEX push_subscriptions_of_user ON push_subscriptions (user_id);
CREATE INDEX plans_by_time ON plans (opens_ms) WHERE opens_ms IS NOT NULL;
CREATE INDEX renames_by_time ON renames (renamed_ms);
CREATE INDEX renames_by_skeleton ON renames (old_skeleton) WHERE old_skeleton IS NOT NULL;
CREATE INDEX orders_by_client ON orders (user_id, client_key)
    WHERE window_closed = 1 AND client_key IS NOT NULL;
CREATE UNIQUE INDEX orders_by_member ON orders (window_id, user_id, no);
CREATE TRIGGER journal_of_window AFTER DELETE ON windows
BEGIN
    DELETE FROM journal WHERE id BETWEEN OLD.id << 32 AND (OLD.id << 32) | 0xffffffff;
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('users',4);
INSERT INTO "sqlite_sequence" VALUES('sessions',1);
INSERT INTO "sqlite_sequence" VALUES('messages',6);
INSERT INTO "sqlite_sequence" VALUES('windows',1);
INSERT INTO "sqlite_sequence" VALUES('templates',1);
INSERT INTO "sqlite_sequence" VALUES('audit',1);
INSERT INTO "sqlite_sequence" VALUES('push_subscriptions',1);
INSERT INTO "sqlite_sequence" VALUES('plans',1);
COMMIT;
