-- When its author last corrected the text; NULL: never, or nothing of it is left.
ALTER TABLE messages ADD COLUMN edited_ms INTEGER;
