"""The web application, put together from what the program hands in."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp_session import session_middleware

from chatserver.core.clock import Clock
from chatserver.core.rate_limit import MinInterval
from chatserver.db.database import Database
from chatserver.features.messages import api
from chatserver.features.messages.recent import Feed
from chatserver.features.presence.presence import Presence
from chatserver.features.presence.room_page import RoomPage
from chatserver.features.room import Room
from chatserver.features.status.metrics import Metrics
from chatserver.http import headers, keys, login_cookie, middleware, routes
from chatserver.http.aiohttp_compat import expect_header, prebuilt
from chatserver.http.csrf import Tokens
from chatserver.http.encode import Encoder
from chatserver.http.origin import OriginPolicy
from chatserver.http.static_files import StaticTree
from chatserver.media.files import MediaFiles
from chatserver.media.workers import ImageWorkers
from chatserver.realtime.hub import Hub

# aiohttp-session keeps its session under a plain string, which aiohttp 3.14 remarks on; nothing of ours does.
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work with. Made, started and stopped by the program, not here."""

    room: Room
    database: Database
    feed: Feed
    wire: Encoder
    hub: Hub
    watch: Metrics
    presence: Presence
    media: MediaFiles
    workers: ImageWorkers
    clock: Clock
    secret: bytes
    templates: Path
    static: Path


def build(parts: Parts) -> web.Application:
    """The application, ready to be run."""
    config = parts.room.settings.now
    gate = OriginPolicy(config)
    storage = login_cookie.LoginStorage(parts.room.logins, gate, config.secure)
    expect_header.install()
    app = web.Application(middlewares=[middleware.answering(config.secure)])
    app[keys.ROOM] = parts.room
    app[keys.SETTINGS] = parts.room.settings
    app[keys.DATABASE] = parts.database
    app[keys.FEED] = parts.feed
    app[keys.ENCODER] = parts.wire
    app[keys.HUB] = parts.hub
    app[keys.METRICS] = parts.watch
    app[keys.PRESENCE] = parts.presence
    app[keys.MEDIA] = parts.media
    app[keys.WORKERS] = parts.workers
    app[keys.CLOCK] = parts.clock
    app[keys.ORIGIN] = gate
    app[login_cookie.LOGINS] = storage
    app[prebuilt.HEADS] = prebuilt.Heads(config.secure)
    app[keys.TOKENS] = Tokens(parts.secret)
    app[keys.STATIC] = StaticTree(parts.static)
    app[keys.TYPING] = MinInterval(parts.clock)
    app[api.PROBE] = api.Probe()
    app[keys.ACCESS] = routes.add_to(app, session_middleware(storage))
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(parts.templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # that would look at the files again with every page
    )
    app[keys.ROOM_PAGE] = RoomPage(environment, parts.feed, parts.presence, parts.wire)
    app.on_response_prepare.append(headers.adder(config.secure))
    return app


def read_templates(app: web.Application) -> None:
    """Read and compile every template: a fifth of a second, for a thread, so that no first visitor holds up the loop.

    A page that is asked for before does its own part of it.
    """
    environment = aiohttp_jinja2.get_env(app)
    for name in environment.list_templates():
        environment.get_template(name)
