"""The model and the tools that all other parts share. Imports no third-party package and no other folder."""
