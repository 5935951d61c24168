"""The model and what all other parts share: no third-party package, nothing of the other folders."""
