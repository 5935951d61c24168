#!/usr/bin/env python3
"""Runs the room from a checkout: `python run.py` serves, `python run.py --help` lists the rest."""

import sys

from chatserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
