"""One switch for all optimisations: `CHAT_TUNING=off` in the environment turns every one of them off.

It is for tests, which run both ways, and for finding out whether an optimisation causes a fault. It
is not a setting, so it is neither listed nor documented for operators. docs/architecture.md has a
section for each optimisation, with the gain that was measured.
"""

from __future__ import annotations

import os

VARIABLE = "CHAT_TUNING"
ENABLED = os.environ.get(VARIABLE, "on") != "off"
