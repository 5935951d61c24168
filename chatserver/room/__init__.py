"""The rules of the room. They know no socket and no request; database, clock and the rest are handed in."""

from __future__ import annotations

from chatserver.clock import Clock
from chatserver.room.accounts import Accounts
from chatserver.room.changing import Changing
from chatserver.room.history import History
from chatserver.room.invites import Invites
from chatserver.room.keeping import Keeping
from chatserver.room.logins import Logins
from chatserver.room.moderation import Moderation
from chatserver.room.ordering import Ordering
from chatserver.room.passwords import PasswordHasher
from chatserver.room.posting import Posting
from chatserver.room.reacting import Reacting
from chatserver.room.recalling import Recalling
from chatserver.room.settings import Settings
from chatserver.room.showing import Copy, Showing
from chatserver.storage import Database


class Room:
    """All the rules, over one database. `await changing.load()` comes before anything else is asked of it."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, hasher: PasswordHasher, copy: Copy
    ) -> None:
        self.settings = settings
        self.changing = Changing(database, settings, clock)
        self.invites = Invites(database, clock)
        self.accounts = Accounts(database, settings, clock, hasher, self.invites)
        self.logins = Logins(database, clock)
        self.moderation = Moderation(database, clock)
        self.posting = Posting(database, settings, clock)
        self.recalling = Recalling(database, clock)
        self.reacting = Reacting(database, clock)
        self.ordering = Ordering(database, settings, clock)
        self.showing = Showing(database, settings, clock, copy)
        self.history = History(database, settings, clock)
        self.keeping = Keeping(database, self.history, clock)


__all__ = ["Room", "Settings"]
