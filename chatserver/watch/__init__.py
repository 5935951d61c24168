"""How the room is doing: figures read from the parts that have them, and the last hour of them."""

from chatserver.watch.hour import Hour, Sample
from chatserver.watch.watch import Figures, Watch

__all__ = ["Figures", "Hour", "Sample", "Watch"]
