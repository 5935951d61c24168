"""`python -m chatserver`: the same program as `run.py` and the command `chatserver`."""

import sys

from chatserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
