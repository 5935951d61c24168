"""The settings as they are at this moment, for every rule to ask when it acts."""

from __future__ import annotations

from chatserver.config import Config


class Settings:
    """Holds the Config in force. Rules keep this object and read `now` each time they need a value."""

    def __init__(self, config: Config) -> None:
        self.now = config
