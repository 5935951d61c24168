"""The web app manifest: the name and the face of the room on a phone's home screen."""

from __future__ import annotations

import json

from aiohttp import web

from chatserver.http.keys import SETTINGS, STATIC

_PAPER = "#fbfaf7"  # --paper of static/css/tokens.css, as hex: the browser reads this before any style sheet
_ICONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("img/icon.svg", {"sizes": "any", "type": "image/svg+xml"}),
    ("img/icon-192.png", {"sizes": "192x192", "type": "image/png"}),
    ("img/icon-512.png", {"sizes": "512x512", "type": "image/png"}),
    ("img/icon-512.png", {"sizes": "512x512", "type": "image/png", "purpose": "maskable"}),
)


async def get(request: web.Request) -> web.Response:
    """Asked for anew each time, since an administrator may call the room something else. A browser asks
    without its cookies, so it is the same for everybody, and says no more than the login page does."""
    settings, static = request.app[SETTINGS].now, request.app[STATIC]
    manifest = {
        "id": "/",
        "name": settings.room_name,
        "short_name": settings.room_name,
        "lang": settings.language,
        "dir": "auto",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": _PAPER,
        "theme_color": _PAPER,
        "icons": [{"src": static.url(file), **rest} for file, rest in _ICONS],
    }
    return web.Response(
        text=json.dumps(manifest, ensure_ascii=False),
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )
