"""`python -m chatserver` is the same program as `run.py` and the console script."""

import sys

from chatserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
