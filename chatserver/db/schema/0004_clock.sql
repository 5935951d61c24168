-- The difference between the wall clock and the machine's monotonic clock at the last look. With it the server tells a
-- wall clock that was set while no server ran from time that passed. No row: no server has run yet.
CREATE TABLE clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    boot      TEXT    NOT NULL,
    wall_ms   INTEGER NOT NULL,
    steady_ms INTEGER NOT NULL,
    behind_ms INTEGER NOT NULL,
    leapt_ms  INTEGER NOT NULL
) STRICT;
