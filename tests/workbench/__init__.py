"""Long runs that break the room on purpose: `python -m tests.workbench`."""
