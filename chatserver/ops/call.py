"""What a command is called with, and how it reaches the room."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatserver.core.config import Config


@dataclass(frozen=True, slots=True)
class Call:
    """The parsed command line, the settings, and where each setting's value came from."""

    arguments: argparse.Namespace
    config: Config
    sources: dict[str, str]


# Carries out an operator's command, on the running server or without one: see control.operate.
Operate = Callable[[Call, str, dict[str, Any]], dict[str, Any]]
