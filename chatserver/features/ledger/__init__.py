"""The ledgers as readers have them: pages, files, marks of the pick-up, readings of free-text orders."""
