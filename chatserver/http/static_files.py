"""The static files: read once at start, served under a path that names their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiohttp import web

from chatserver.http import assets
from chatserver.i18n.scripts import scripts

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    encoded: dict[str, bytes]  # by the name of its coding, the smallest first
    content_type: str


class StaticTree:
    """Every file under `root`, in memory: a few hundred KB. The path holds a hash of the whole tree,

    so a browser may keep each file for ever, and modules that import each other by relative paths
    always come from the same version.
    """

    def __init__(self, root: Path) -> None:
        self._assets: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for name, body in assets.contents(root, scripts()).items():
            digest.update(name.encode() + b"\0" + body + b"\0")
            self._assets[name] = _asset(root, PurePosixPath(name).suffix, body)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file; a KeyError for one that there is not, so that a page cannot name it."""
        if name not in self._assets:
            raise KeyError(f"no static file {name!r}")
        return f"/static/{self.version}/{name}"

    def names(self, folder: str) -> list[str]:
        return [name for name in self._assets if name.startswith(folder + "/")]

    def respond(self, request: web.Request) -> web.Response:
        # An old address still gets the file that there is now, but must not be kept.
        is_current = request.match_info["version"] == self.version
        return self.serve(request, request.match_info["name"], _FOR_EVER if is_current else "no-cache")

    def serve(self, request: web.Request, name: str, cache_control: str) -> web.Response:
        """The file `name`, at whatever address it was asked for; 404 for one that there is not."""
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


def _asset(root: Path, suffix: str, body: bytes) -> Asset:
    content_type = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return Asset(body, _encoded(root, body) if suffix in assets.TEXTS else {}, content_type)


def _encoded(root: Path, body: bytes) -> dict[str, bytes]:
    """What the build made of it. A checkout was not built: gzip takes it 10 ms for all files, and
    Brotli would take half a second, which no start shall wait for."""
    found = {}
    for coding, suffix in (("br", "br"), ("gzip", "gz")):
        path = assets.prebuilt(root, body, suffix)
        if path.is_file():
            found[coding] = path.read_bytes()
    return found if "gzip" in found else {**found, "gzip": gzip.compress(body, 9, mtime=0)}


def _codings(accept_encoding: str) -> Iterator[str]:
    """Those that a browser takes, by RFC 9110, section 12.5.3; with `q=0` it says which it does not."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if weight.strip("0.") or not weight:
            yield coding
