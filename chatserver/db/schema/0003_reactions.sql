-- The reactions: which member reacted to which message with which emoji.
CREATE TABLE reactions (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji      TEXT    NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;

-- The newest message that a member has seen, on any device.
ALTER TABLE users ADD COLUMN read_id INTEGER NOT NULL DEFAULT 0;

-- The member who recalled or deleted a message: its author, or an administrator.
ALTER TABLE messages ADD COLUMN ended_by INTEGER REFERENCES users (id);
