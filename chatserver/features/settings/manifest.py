"""The web app manifest: the room's name and icons on a phone's home screen (W3C, Web Application Manifest)."""

from __future__ import annotations

import json

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.static_files import StaticTree

# The colour --paper of static/css/tokens.css in hex, because the browser reads the manifest before any style sheet.
_PAPER = "#fbfaf7"
_ICONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("img/icon.svg", {"sizes": "any", "type": "image/svg+xml"}),
    ("img/icon-192.png", {"sizes": "192x192", "type": "image/png"}),
    ("img/icon-512.png", {"sizes": "512x512", "type": "image/png"}),
    ("img/icon-512.png", {"sizes": "512x512", "type": "image/png", "purpose": "maskable"}),
)


class Manifest:
    def __init__(self, settings: CurrentConfig, static: StaticTree) -> None:
        self._settings = settings
        self._static = static

    async def get(self, request: web.Request) -> web.Response:
        """The manifest. It is not cached, because administrators can rename the room.

        Browsers request it without cookies, so it is the same for all readers and reveals no more than the login page.
        """
        config = self._settings.now
        manifest = {
            "id": "/",
            "name": config.room_name,
            "short_name": config.room_name,
            "lang": config.language,
            "dir": "auto",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": _PAPER,
            "theme_color": _PAPER,
            "icons": [{"src": self._static.url(file), **rest} for file, rest in _ICONS],
        }
        return web.Response(
            text=json.dumps(manifest, ensure_ascii=False),
            content_type="application/manifest+json",
            headers={"Cache-Control": "no-cache"},
        )

    ROUTES = (Route("GET", "/manifest.webmanifest", get, Access.FILE),)
