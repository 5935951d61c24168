-- What administrators confirmed that an order of free text says: no part of the proof. `lines` is the JSON that
-- readers get; `[]`: no amount in it. It goes with the words that it was read from.
CREATE TABLE order_readings (
    message_id INTEGER PRIMARY KEY REFERENCES orders (message_id) ON DELETE CASCADE,
    lines      TEXT    NOT NULL
) STRICT;
