-- The rate of each bot, in messages per 10 s. A token is NULL if it ended while the bot stays. SQLite cannot drop a NOT
-- NULL, so the table is made again.
ALTER TABLE bots RENAME TO bots_before;
CREATE TABLE bots (
    user_id         INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash      BLOB    UNIQUE,
    manages_windows INTEGER NOT NULL DEFAULT 0,
    rate            INTEGER NOT NULL DEFAULT 10,
    made_by         INTEGER NOT NULL REFERENCES users (id),
    created_ms      INTEGER NOT NULL,
    used_ms         INTEGER
) STRICT;
INSERT INTO bots (user_id, token_hash, manages_windows, made_by, created_ms, used_ms)
SELECT user_id, token_hash, manages_windows, made_by, created_ms, used_ms FROM bots_before;
DROP TABLE bots_before;
