"""The operator's commands: carried out by the running server, or on the files when none runs."""

from chatserver.ops.control.client import Unreachable, operate

__all__ = ["Unreachable", "operate"]
