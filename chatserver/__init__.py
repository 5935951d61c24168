"""The chat room that a community runs on its own host."""

__version__ = "0.2.0"
