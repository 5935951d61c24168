"""The rules of the room. They know no socket and no request; database, clock and the rest are handed in."""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.db.database import Database
from chatserver.features.accounts.accounts import Accounts
from chatserver.features.accounts.moderate import Moderation
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.sessions import Logins
from chatserver.features.announcements.announcements import Announcements, Copy
from chatserver.features.invites.invites import Invites
from chatserver.features.messages.history import History
from chatserver.features.messages.post import Posting
from chatserver.features.messages.react import Reacting
from chatserver.features.messages.recall import Recalling
from chatserver.features.ordering.window import Ordering
from chatserver.features.settings.change import SettingsService
from chatserver.features.settings.settings import Settings
from chatserver.ops.database_copy import DatabaseCopier


class Room:
    """All the rules, over one database. `await changing.load()` comes before anything else is asked of it."""

    def __init__(
        self, database: Database, settings: Settings, clock: Clock, hasher: PasswordHasher, copy: Copy
    ) -> None:
        self.settings = settings
        self.changing = SettingsService(database, settings, clock)
        self.invites = Invites(database, clock)
        self.accounts = Accounts(database, settings, clock, hasher, self.invites)
        self.logins = Logins(database, clock)
        self.moderation = Moderation(database, clock)
        self.posting = Posting(database, settings, clock)
        self.recalling = Recalling(database, clock)
        self.reacting = Reacting(database, clock)
        self.ordering = Ordering(database, settings, clock)
        self.showing = Announcements(database, settings, clock, copy)
        self.history = History(database, settings, clock)
        self.keeping = DatabaseCopier(database, self.history, clock)


__all__ = ["Room", "Settings"]
