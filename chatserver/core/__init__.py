"""The model and what all other parts share: no I/O, no third-party package."""
