"""SQLite: one connection, one queue, group commit. Knows no table of a feature."""
