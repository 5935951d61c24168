-- When the author last corrected the text; NULL: never, or the message is empty now.
ALTER TABLE messages ADD COLUMN edited_ms INTEGER;
