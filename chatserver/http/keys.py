"""Typed keys under which the application and each request keep what handlers need."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.rate_limit import MinInterval
from chatserver.db.database import Database
from chatserver.features.messages.recent import Feed
from chatserver.features.presence.presence import Presence
from chatserver.features.presence.room_page import RoomPage
from chatserver.features.room import Room
from chatserver.features.settings.settings import Settings
from chatserver.features.status.metrics import Metrics
from chatserver.http.access import Access
from chatserver.http.csrf import Tokens
from chatserver.http.encode import Encoder
from chatserver.http.forms import Form
from chatserver.http.origin import OriginPolicy
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
ORIGIN = web.AppKey("gate", OriginPolicy)
TOKENS = web.AppKey("tokens", Tokens)
ENCODER = web.AppKey("wire", Encoder)
PRESENCE = web.AppKey("presence", Presence)
METRICS = web.AppKey("watch", Metrics)
ROOM_PAGE = web.AppKey("room_page", RoomPage)
TYPING = web.AppKey("typing", MinInterval)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
ACCESS = web.AppKey("access", dict[web.AbstractRoute, Access])

REQUEST_ID = web.RequestKey("request_id", str)
COOKIES = web.RequestKey("cookies", dict[str, str])
VIEWER = web.RequestKey("viewer", Viewer)
FORM = web.RequestKey("form", Form)
