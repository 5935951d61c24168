"""The features of the room; each package holds its rules, SQL, events and handlers."""
