-- This step halves the pages that the COMMIT of an order writes. Half of them were pages of indexes with random keys.

-- `entry`: the journal's entry that holds an order's text; NULL: withdrawn. This column replaces an index of the
-- journal.
ALTER TABLE orders ADD COLUMN entry INTEGER;
-- Without INDEXED BY, SQLite would search the whole journal of the window for each order.
UPDATE orders SET entry = (SELECT max(j.entry) FROM journal j INDEXED BY journal_words
    WHERE j.window_id = orders.window_id AND j.order_no = orders.no AND j.body IS NOT NULL);

-- Client keys are random, so each order changed another page of their index. Now they enter the index when the window
-- closes. Until then an order is found among those of its member. `window_closed` says that the key is in the index.
-- The index is not UNIQUE: the transaction that stores an order has looked for its key, and a window must always close.
ALTER TABLE orders ADD COLUMN window_closed INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET window_closed = 1 WHERE window_id IN (SELECT id FROM windows WHERE closed_ms IS NOT NULL);
DROP INDEX orders_by_client;
CREATE INDEX orders_by_client ON orders (user_id, client_key)
    WHERE window_closed = 1 AND client_key IS NOT NULL;

-- One index for two queries: the orders of a member, and the order with a number, which is found in the index alone.
DROP INDEX orders_by_number;
DROP INDEX orders_by_member;
CREATE UNIQUE INDEX orders_by_member ON orders (window_id, user_id, no);

-- The journal is stored by rowid, so that entries are appended to full pages. `id` is the window's id and the number of
-- the entry.
ALTER TABLE journal RENAME TO journal_before;
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
INSERT INTO journal (id, order_no, salt, body, leaf, head)
    SELECT (window_id << 32) | entry, order_no, salt, body, leaf, head FROM journal_before ORDER BY window_id, entry;
DROP TABLE journal_before;
-- A trigger instead of a foreign key, because a foreign key would need an index.
CREATE TRIGGER journal_of_window AFTER DELETE ON windows
BEGIN
    DELETE FROM journal WHERE id BETWEEN OLD.id << 32 AND (OLD.id << 32) | 0xffffffff;
END;
