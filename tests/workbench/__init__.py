"""The long versions of what breaks the room on purpose: `python -m tests.workbench`."""
