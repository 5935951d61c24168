-- How the wall clock stood against the machine's steady one when the room last looked, so that a clock
-- that was set while no server ran is distinguished from time that passed. No row: no server has run yet.
CREATE TABLE clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    boot      TEXT    NOT NULL,
    wall_ms   INTEGER NOT NULL,
    steady_ms INTEGER NOT NULL,
    behind_ms INTEGER NOT NULL,
    leapt_ms  INTEGER NOT NULL
) STRICT;
