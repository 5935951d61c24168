"""Bots: programs that listen and post with a token."""
