-- The CHECK of `kind` and of `preset` allows two more words. No row changes, so the stored text of the table is edited,
-- instead of copying every message: https://www.sqlite.org/lang_altertable.html, section 7.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(replace(sql, 'kind = ''preset''', 'kind = ''preset'' OR kind = ''order'''),
                  'preset = ''picture''', 'preset = ''picture'' OR preset = ''amended''')
WHERE type = 'table' AND name = 'messages';
-- The oldest rooms have the same checks, written with other words.
UPDATE sqlite_schema
SET sql = replace(replace(sql, '''image'', ''preset'')', '''image'', ''preset'', ''order'')'),
                  '''countdown'', ''picture'')', '''countdown'', ''picture'', ''amended'')')
WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- Fields that few kinds of message have, as a JSON object, or '': `order`; `digest`; `result`.
ALTER TABLE messages ADD COLUMN extra TEXT NOT NULL DEFAULT '';

-- The counters count standing orders. `head` is the head of the last entry of the journal, which has `entries` entries.
-- A window that was opened by a version without journals has no entry yet.
ALTER TABLE windows ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE windows ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE windows ADD COLUMN last_no INTEGER NOT NULL DEFAULT 0;
ALTER TABLE windows ADD COLUMN orders INTEGER NOT NULL DEFAULT 0;
ALTER TABLE windows ADD COLUMN members INTEGER NOT NULL DEFAULT 0;
ALTER TABLE windows ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE windows ADD COLUMN head BLOB NOT NULL DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';
CREATE INDEX windows_by_close ON windows (closed_ms) WHERE closed_ms IS NOT NULL;

-- The items that a window offers. Prices are in cents, quantities in hundredths. NULL: no price, unlimited stock, no
-- limit for each member. `ordered` is the quantity in standing orders. Ids count from 1 in each window.
CREATE TABLE items (
    window_id    INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    id           INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    price        INTEGER,
    stock        INTEGER,
    member_limit INTEGER,
    ordered      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (window_id, id)
) STRICT, WITHOUT ROWID;

-- The ledger. An order has the id of its message, and outlives it. `lines` is the JSON that readers get. A withdrawn
-- order keeps its number, and its text is erased. `client_key` is a hash. `receipt` (the head of the journal after the
-- order) and `posted_seq` (the number of the change that posted it) are for the answer to a repeated request.
CREATE TABLE orders (
    message_id INTEGER PRIMARY KEY,
    window_id  INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    no         INTEGER NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    state      TEXT    NOT NULL DEFAULT 'accepted' CHECK (state = 'accepted' OR state = 'withdrawn'),
    lines      TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    total      INTEGER,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    client_key BLOB,
    posted_seq INTEGER NOT NULL,
    receipt    BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX orders_by_number ON orders (window_id, no);
CREATE INDEX orders_by_member ON orders (window_id, user_id);
CREATE UNIQUE INDEX orders_by_client ON orders (user_id, client_key) WHERE client_key IS NOT NULL;

-- The proof: every change of a ledger, in the order of the commits. If the text of an entry was withdrawn or changed,
-- its salt and body are erased. Its leaf stays, so that the chain can still be checked.
CREATE TABLE journal (
    window_id INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    entry     INTEGER NOT NULL,
    order_no  INTEGER,
    salt      BLOB,
    body      TEXT,
    leaf      BLOB    NOT NULL,
    head      BLOB    NOT NULL,
    PRIMARY KEY (window_id, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_words ON journal (window_id, order_no) WHERE order_no IS NOT NULL AND body IS NOT NULL;

-- The marks that administrators set at the pick-up. They are not part of the proof.
CREATE TABLE marks (
    window_id INTEGER NOT NULL REFERENCES windows (id) ON DELETE CASCADE,
    user_id   INTEGER NOT NULL REFERENCES users (id),
    paid      INTEGER NOT NULL DEFAULT 0,
    collected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (window_id, user_id)
) STRICT, WITHOUT ROWID;

-- Prepared windows. `items` is the JSON that `start` takes. If `seconds` is NULL, the setting is used.
CREATE TABLE templates (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    title      TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    items      TEXT    NOT NULL,
    seconds    INTEGER,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER NOT NULL REFERENCES users (id)
) STRICT;
