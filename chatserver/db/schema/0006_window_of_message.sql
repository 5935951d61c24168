-- The ordering window that a preset is about. No foreign key: a window that expired may leave messages.
ALTER TABLE messages ADD COLUMN window_id INTEGER;
UPDATE messages SET window_id = (SELECT max(w.id) FROM windows w WHERE w.opened_ms <= messages.created_ms)
    WHERE preset = 'start' OR preset = 'stop' OR preset = 'countdown';
-- A stop has the planned end of its window too: one that is not before it was the server's own.
UPDATE messages SET closes_ms = (SELECT w.closes_ms FROM windows w WHERE w.id = messages.window_id)
    WHERE preset = 'stop';
