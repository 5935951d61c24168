"""Typed keys under which the application and each request keep what handlers need."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.rate_limit import Interval
from chatserver.db.database import Database
from chatserver.features.messages.recent import Feed
from chatserver.features.presence.presence import Presence
from chatserver.features.presence.room_page import RoomPage
from chatserver.features.room import Room
from chatserver.features.settings.settings import Settings
from chatserver.features.status.metrics import Watch
from chatserver.http.access import Access
from chatserver.http.csrf import Tokens
from chatserver.http.encode import Wire
from chatserver.http.forms import Form
from chatserver.http.origin import Gate
from chatserver.http.static_files import StaticTree
from chatserver.http.viewer import Viewer
from chatserver.media.files import MediaFiles
from chatserver.media.workers import ImageWorkers
from chatserver.realtime.hub import Hub

ROOM = web.AppKey("room", Room)
SETTINGS = web.AppKey("settings", Settings)
DATABASE = web.AppKey("database", Database)
HUB = web.AppKey("hub", Hub)
FEED = web.AppKey("feed", Feed)
MEDIA = web.AppKey("media", MediaFiles)
WORKERS = web.AppKey("workers", ImageWorkers)
STATIC = web.AppKey("static", StaticTree)
GATE = web.AppKey("gate", Gate)
TOKENS = web.AppKey("tokens", Tokens)
WIRE = web.AppKey("wire", Wire)
PRESENCE = web.AppKey("presence", Presence)
WATCH = web.AppKey("watch", Watch)
ROOM_PAGE = web.AppKey("room_page", RoomPage)
TYPING = web.AppKey("typing", Interval)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
ACCESS = web.AppKey("access", dict[web.AbstractRoute, Access])

REQUEST_ID = web.RequestKey("request_id", str)
COOKIES = web.RequestKey("cookies", dict[str, str])
VIEWER = web.RequestKey("viewer", Viewer)
FORM = web.RequestKey("form", Form)
