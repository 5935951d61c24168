#!/usr/bin/env python3
"""Runs the program from a checkout: `python run.py` starts the server, `python run.py --help` lists the commands."""

import sys

from chatserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
