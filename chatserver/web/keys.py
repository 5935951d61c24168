"""Typed keys under which the application and each request keep what handlers need."""

from __future__ import annotations

from aiohttp import web

from chatserver.clock import Clock
from chatserver.hub import Hub
from chatserver.media import ImageWorkers, MediaFiles
from chatserver.room import Room, Settings
from chatserver.room.limits import Interval
from chatserver.storage import Database
from chatserver.watch import Watch
from chatserver.web.access import Access
from chatserver.web.csrf import Tokens
from chatserver.web.feed import Feed
from chatserver.web.forms import Form
from chatserver.web.gate import Gate
from chatserver.web.presence import Presence
from chatserver.web.roompage import RoomPage
from chatserver.web.static import StaticTree
from chatserver.web.viewer import Viewer
from chatserver.web.wire import Wire

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
