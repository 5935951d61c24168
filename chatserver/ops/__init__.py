"""Operator commands: backup, restore, export, doctor, members."""
