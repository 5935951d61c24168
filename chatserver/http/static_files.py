"""Serves the static files from memory, under a path that contains a hash of all of them."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiohttp import web

from chatserver.http import assets
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.i18n.scripts import scripts

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
}
_IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    encoded: dict[str, bytes]  # name of the content coding -> body, the smallest first
    content_type: str


class StaticTree:
    """All static files under `root`, in memory (a few hundred KB).

    The path contains a hash of all files, so a browser can cache each file without revalidation, and
    modules that import each other by relative paths always have the same version.
    """

    def __init__(self, root: Path) -> None:
        self._assets: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for name, body in assets.bodies(root, scripts()).items():
            digest.update(name.encode() + b"\0" + body + b"\0")
            self._assets[name] = _asset(root, PurePosixPath(name).suffix, body)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The path of a file's URL. Raises KeyError for an unknown file, so that a wrong name in a template fails."""
        if name not in self._assets:
            raise KeyError(f"no static file {name!r}")
        return f"/static/{self.version}/{name}"

    async def get(self, request: web.Request) -> web.Response:
        # A URL of an older version gets the present file, which must not be cached under that URL.
        is_current = request.match_info["version"] == self.version
        return self.serve(request, request.match_info["name"], _IMMUTABLE if is_current else "no-cache")

    async def get_service_worker(self, request: web.Request) -> web.Response:
        """`/sw.js`, at the root because a service worker controls only URLs below its own; browsers revalidate it."""
        return self.serve(request, "js/sw.js", "no-cache")

    async def get_favicon(self, request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": self.url("img/icon.svg")})

    def serve(self, request: web.Request, name: str, cache_control: str) -> web.Response:
        """The response for the file `name`, in the best coding that the client accepts. Raises HTTPNotFound."""
        asset = self._assets.get(name)
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Vary": "Accept-Encoding", "Cache-Control": cache_control}
        body = asset.body
        accepted = set(_codings(request.headers.get("Accept-Encoding", "")))
        for coding, encoded in asset.encoded.items():
            if coding in accepted:
                headers["Content-Encoding"] = coding
                body = encoded
                break
        return web.Response(body=body, content_type=asset.content_type, headers=headers)

    ROUTES = (
        Route("GET", "/static/{version}/{name:.+}", get, Access.FILE),
        Route("GET", "/sw.js", get_service_worker, Access.FILE),
        Route("GET", "/favicon.ico", get_favicon, Access.FILE),
    )


def _asset(root: Path, suffix: str, body: bytes) -> Asset:
    content_type = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return Asset(body, _encoded(root, body) if suffix in assets.TEXT_SUFFIXES else {}, content_type)


def _encoded(root: Path, body: bytes) -> dict[str, bytes]:
    """Read the codings that the build made. A checkout has no such files, so the server compresses with gzip, in 10 ms
    for all files. Brotli would take 0.5 s at each start."""
    found = {}
    for coding, suffix in (("br", "br"), ("gzip", "gz")):
        path = assets.prebuilt_path(root, body, suffix)
        if path.is_file():
            found[coding] = path.read_bytes()
    return found if "gzip" in found else {**found, "gzip": gzip.compress(body, 9, mtime=0)}


def _codings(accept_encoding: str) -> Iterator[str]:
    """The codings of an Accept-Encoding header, except codings of weight 0 (RFC 9110, section 12.5.3)."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if weight.strip("0.") or not weight:
            yield coding
