"""The static files: read once at start, served under a path that names their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".webmanifest": "application/manifest+json",
}
_TEXT = {".js", ".css", ".svg", ".webmanifest"}
_FOR_EVER = "public, max-age=31536000, immutable"
# The files are written for whoever reads them, and a fifth of what a browser would fetch is comments.
# Their lines stay, empty, so that a fault in a browser names the line of the source.
_COMMENTS = {".js": re.compile(rb"^[ \t]*//.*$", re.M), ".css": re.compile(rb"/\*.*?\*/", re.S)}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    gzipped: bytes | None
    content_type: str


class StaticTree:
    """Every file under `root`, in memory: a few hundred KB. The path holds a hash of the whole tree,

    so a browser may keep each file for ever, and modules that import each other by relative paths
    always come from the same version.
    """

    def __init__(self, root: Path) -> None:
        self._assets: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                name = path.relative_to(root).as_posix()
                body = path.read_bytes()
                digest.update(name.encode() + b"\0" + body + b"\0")
                self._assets[name] = _asset(path.suffix, body)
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
        if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = asset.gzipped
        return web.Response(body=body, content_type=asset.content_type, headers=headers)


def _asset(suffix: str, body: bytes) -> Asset:
    content_type = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    if suffix in _COMMENTS:
        body = _COMMENTS[suffix].sub(lambda found: b"\n" * found[0].count(b"\n"), body)
    return Asset(body, gzip.compress(body, 9, mtime=0) if suffix in _TEXT else None, content_type)
