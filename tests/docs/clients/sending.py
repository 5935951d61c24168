"""The command line of a client's program, and the frames that it sends."""

from __future__ import annotations

import json
import sys
from typing import Any


def arguments() -> tuple[str, dict[str, str], list[str]]:
    """The socket's address, the header, and the texts to send."""
    address, token, send = sys.argv[1:]
    texts = {"nothing": [], "big": ["x" * 1_000_000], "bad": ["{}"] * 10}[send]
    return address.replace("http", "ws", 1) + "/ws/chat/", {"Authorization": f"Bearer {token}"}, texts


def tell(how: str, **more: Any) -> None:
    print(json.dumps({"how": how, **more}))


def raised(error: BaseException, **more: Any) -> None:
    tell(type(error).__name__, **more)
