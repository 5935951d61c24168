"""Ordering windows, and the presets that start, stop and show them."""
