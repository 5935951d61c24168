-- The ordering window that a preset is about. It is not a foreign key, because messages may outlive their window.
ALTER TABLE messages ADD COLUMN window_id INTEGER;
UPDATE messages SET window_id = (SELECT max(w.id) FROM windows w WHERE w.opened_ms <= messages.created_ms)
    WHERE preset = 'start' OR preset = 'stop' OR preset = 'countdown';
-- A stop also has the planned end of its window. If the stop is not before the planned end, the server closed the
-- window.
UPDATE messages SET closes_ms = (SELECT w.closes_ms FROM windows w WHERE w.id = messages.window_id)
    WHERE preset = 'stop';
