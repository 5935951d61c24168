"""What happens by itself, at a time that stands in the database."""

from chatserver.timers.alarm import Alarm
from chatserver.timers.alarms import Alarms
from chatserver.timers.eraser import Eraser

__all__ = ["Alarm", "Alarms", "Eraser"]
