"""The ledgers for readers: pages, files, pick-up marks, readings of free-text orders."""
