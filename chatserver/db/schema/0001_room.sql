-- The state of the room's history. `seq` numbers every change of a message. All messages below `first_id` are erased.
-- `epoch` names this history; it changes when a backup is restored.
CREATE TABLE room (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    epoch         TEXT    NOT NULL,
    seq           INTEGER NOT NULL DEFAULT 0,
    first_id      INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO room (id, epoch) VALUES (1, lower(hex(randomblob(8))));

-- `skeleton` is the name with look-alike characters replaced. No two members have the same skeleton.
CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    skeleton   TEXT    NOT NULL UNIQUE,
    password   TEXT    NOT NULL,
    role       TEXT    NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'administrator')),
    avatar     TEXT    NOT NULL DEFAULT '',
    muted_until_ms INTEGER NOT NULL DEFAULT 0,
    banned     INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
) STRICT;

-- The database has only a hash of the token, so a person who reads this file cannot log in with it.
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
CREATE INDEX sessions_of_user ON sessions (user_id);

-- A recalled or deleted message stays as an empty row until it expires, so that clients that were away learn of it.
-- `media_key` (the name of its files) and `client_key` (a hash of the client's own name for it) stay too: with the
-- first a request for a file gets 410, and with the second a resent message is not stored again. The checks use OR,
-- because an IN of more than two words builds a table for each row, which takes half of an INSERT's time.
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    seq             INTEGER NOT NULL,
    posted_seq      INTEGER NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'live' CHECK (state = 'live' OR state = 'recalled' OR state = 'deleted'),
    kind            TEXT    NOT NULL CHECK (kind = 'text' OR kind = 'image' OR kind = 'preset'),
    preset          TEXT    CHECK (preset = 'start' OR preset = 'stop' OR preset = 'countdown' OR preset = 'picture'),
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
) STRICT;
CREATE UNIQUE INDEX messages_by_client ON messages (user_id, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX messages_kept ON messages (id) WHERE state <> 'deleted';
CREATE INDEX messages_by_age ON messages (created_ms);
CREATE INDEX messages_by_recall ON messages (recall_until_ms) WHERE state = 'live';
CREATE INDEX messages_by_media ON messages (media_key) WHERE media_key <> '';

CREATE TABLE windows (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    opened_ms INTEGER NOT NULL,
    closes_ms INTEGER NOT NULL,
    closed_ms INTEGER,
    opened_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
-- At most one window is open.
CREATE UNIQUE INDEX windows_open ON windows ((1)) WHERE closed_ms IS NULL;

-- The room's own pictures: 'announcement', which every reader can open, and 'preset'.
CREATE TABLE pictures (
    name       TEXT PRIMARY KEY CHECK (name IN ('announcement', 'preset')),
    image      TEXT    NOT NULL,
    thumb      TEXT    NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
