"""One switch for all optimisations: `CHAT_TUNING=off` in the environment turns all of them off.

The tests run with the switch on and off. It also shows whether an optimisation causes a fault. It is not a setting, so
it is neither listed nor documented for operators. docs/architecture.md has a section for each optimisation, with the
gain that was measured.
"""

from __future__ import annotations

import os

VARIABLE = "CHAT_TUNING"
ENABLED = os.environ.get(VARIABLE, "on") != "off"
