-- Readings of free-text orders that an administrator confirmed. They are not part of the proof. `lines` is the JSON
-- that readers get; `[]`: the order has no amount. A reading is deleted when the order's text is changed or withdrawn.
CREATE TABLE order_readings (
    message_id INTEGER PRIMARY KEY REFERENCES orders (message_id) ON DELETE CASCADE,
    lines      TEXT    NOT NULL
) STRICT;
