"""Ordering windows."""
