"""Invalid input from a seed. A seed gives the same input every time, so that a fault can be repeated."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import random
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageChops

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.workers import ImageWorkers
from tests.media.samples import FILES, HEIC
from tests.process.faults.crowd import handshake

PATIENCE = 120.0
_TYPES = ("post", "recall", "delete", "typing", "ping", "react", "read", "shout", "", None, 1, [])
_FIELDS = ("client_id", "text", "reply_to", "id", "t", "emoji", "on", "x" * 100)
_WORDS = ("", "a", "你好", "\x00", "\ud800", "\u202e", "<script>", "x" * 3_000, "../../etc/passwd", "%00", "\r\n", "👍")
_NUMBERS = (0, 1, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 1.5, 1e308, 10**300)
_PATHS = (
    "/", "/register/", "/login/", "/logout/", "/profile/", "/post/", "/api/recent_messages/", "/api/messages/",
    "/api/recent_messages_apiint/", "/send_preset/", "/send_preset_image/", "/upload_global_background", "/settings/",
    "/delete_message/", "/recall_message/", "/media/", "/healthz", "/readyz", "/metrics", "/ws/chat/", "/static/",
    "/setup/", "/nowhere",
)  # fmt: skip
_METHODS = ("GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "get", "")
_HEADERS = (
    "Accept", "Accept-Language", "Content-Type", "Cookie", "Origin", "Sec-Fetch-Site", "X-CSRFToken", "Range",
    "If-None-Match", "X-Forwarded-For", "User-Agent", "Content-Encoding", "Upgrade", "Sec-WebSocket-Key", "Expect",
)  # fmt: skip
_TYPES_OF_BODY = (
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "text/plain", "image/webp", "a/b; charset=utf-99", ";;;",
)  # fmt: skip


def value(chance: random.Random, depth: int = 0) -> Any:
    match chance.randrange(8 if depth < 4 else 6):
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2 | 3:
            return chance.choice(_NUMBERS)
        case 4 | 5:
            return chance.choice(_WORDS)
        case 6:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {chance.choice(_FIELDS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def payload(chance: random.Random) -> bytes:
    """Usually a frame of the protocol with a fault in it; sometimes random bytes."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(200))
    frame = {"type": chance.choice(_TYPES)}
    frame |= {chance.choice(_FIELDS): value(chance) for _ in range(chance.randrange(5))}
    text = json.dumps(frame).encode()
    if chance.random() < 0.2:
        at = chance.randrange(len(text))
        text = text[:at] + chance.randbytes(chance.randrange(3)) + text[at + chance.randrange(3) :]
    return text


def frame(chance: random.Random) -> bytes:
    """An RFC 6455 frame from a client. Most are valid, so that the connection stays open."""
    data = payload(chance)
    opcode = 0x1
    if chance.random() < 0.03:
        opcode, data = chance.randrange(16), data[: chance.choice((0, 1, 2, 125, 126))]
    first = (
        (0x80 if chance.random() < 0.99 else 0) | (chance.randrange(8) << 4 if chance.random() < 0.01 else 0) | opcode
    )
    mask = 0x80 if chance.random() < 0.995 else 0
    size = len(data)
    head = bytes((first, mask | size)) if size < 126 else struct.pack("!BBH", first, mask | 126, size)
    key = chance.randbytes(4)
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
    return head + (key + masked if mask else data)


async def socket_frames(address: str, cookies: str, seed: int, count: int) -> int:
    """Send `count` frames over as many sockets as needed. Returns the number of sockets. An error of the server would
    be a 5xx."""
    chance = random.Random(seed)
    here = urlsplit(address)
    sent = sockets = 0
    while sent < count:
        reader, writer = await asyncio.open_connection(here.hostname, here.port)
        sockets += 1
        try:
            writer.write(handshake(address, "", cookies if chance.random() < 0.8 else ""))
            async with asyncio.timeout(PATIENCE):
                answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 101"), answer
            listening = asyncio.create_task(_rest(reader))
            for _ in range(min(count - sent, chance.randrange(1, 200))):
                if listening.done():
                    break
                writer.write(frame(chance))
                sent += 1
                await writer.drain()
            writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                await listening
        except OSError:  # the server may have closed the connection
            pass
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)
            writer.close()
    return sockets


async def _rest(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read(-1)


def request(chance: random.Random, host: str, cookies: str, token: str) -> bytes:
    path = chance.choice(_PATHS)
    if chance.random() < 0.5:
        path += chance.choice(
            ("1/", "0", "-1", "9" * 30, "?before=x", "?q=%ff", "?limit=99999", "..%2f..", "x" * 500, "%")
        )
    lines = [f"{chance.choice(_METHODS)} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if chance.random() < 0.7:
        lines += [f"Cookie: {cookies}", f"X-CSRFToken: {token}", f"Origin: http://{host}"]
    for _ in range(chance.randrange(4)):
        word = chance.choice((*_WORDS, *_TYPES_OF_BODY, "gzip", "same-origin", "websocket", "bytes=0-", "100-continue"))
        lines.append(f"{chance.choice(_HEADERS)}: {word}")
    body = b""
    if chance.random() < 0.6:
        lines.append(f"Content-Type: {chance.choice(_TYPES_OF_BODY)}")
        body = chance.choice((payload(chance), b"text=hello&client_id=x", b"--x\r\n\r\n--x--", chance.randbytes(300)))
        wrong = chance.random() < 0.05
        lines.append("Transfer-Encoding: chunked" if wrong else f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


async def http_requests(address: str, cookies: str, token: str, seed: int, count: int) -> dict[int, int]:
    """Status -> number, of `count` requests. Asserts that none was an error of the server."""
    chance = random.Random(seed)
    here = urlsplit(address)
    found: dict[int, int] = {}
    for _ in range(count):
        reader, writer = await asyncio.open_connection(here.hostname, here.port)
        try:
            sent = request(chance, here.netloc, cookies, token)
            writer.write(sent)
            if b"Transfer-Encoding" in sent or b"Upgrade: websocket" in sent:
                writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                line = await reader.readline()
            status = int(line.split()[1]) if line else 0
            found[status] = found.get(status, 0) + 1
            assert status < 500, (line, sent)
        except OSError:  # the server may have closed the connection
            found[0] = found.get(0, 0) + 1
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)
            writer.close()
    return found


def _samples() -> list[bytes]:
    """Still pictures and animations of each kind, made here and by other programs."""
    picture = Image.radial_gradient("L").resize((120, 90)).convert("RGB")
    found = [_saved(picture, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")]
    found += [_saved(picture, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")]
    moved = [ImageChops.offset(picture, 9 * step, 0) for step in range(1, 4)]
    for kind in ("GIF", "WEBP", "PNG", "AVIF"):
        found.append(_saved(picture, kind, save_all=True, append_images=moved, duration=[40, 80, 120, 160]))
    found += [path.read_bytes() for path in sorted(FILES.iterdir()) if path.suffix != ".md"]
    return [*found, HEIC]


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def mutated(chance: random.Random, samples: list[bytes]) -> bytes:
    data = bytearray(chance.choice(samples))
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        at = chance.randrange(min(len(data), 200) if chance.random() < 0.5 else len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at : at + 4] = chance.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\x40\0"))
            case 2:
                del data[at : at + chance.randrange(1, 50)]
            case _:
                data[at:at] = chance.randbytes(chance.randrange(1, 20))
        if not data:
            break
    return bytes(data)


async def images(workers: ImageWorkers, directory: Path, seed: int, count: int) -> dict[str, int]:
    """Code (or "taken") -> number, of `count` mutated pictures. Raises every error except a refusal with a code."""
    chance = random.Random(seed)
    samples = _samples()
    found: dict[str, int] = {}
    complaints = _Complaints()
    logging.getLogger("chatserver.media.workers").addHandler(complaints)
    for _ in range(count):
        path = directory / "picture"
        await asyncio.to_thread(path.write_bytes, mutated(chance, samples))
        try:
            await workers.picture(path, 200 * 1024, "fuzz")
            code = "taken"
        except DomainError as refusal:
            assert refusal.code in (
                ErrorCode.IMAGE_UNREADABLE,
                ErrorCode.IMAGE_UNSUPPORTED,
                ErrorCode.IMAGE_TOO_LARGE,
            ), refusal
            code = refusal.code.value
        found[code] = found.get(code, 0) + 1
    logging.getLogger("chatserver.media.workers").removeHandler(complaints)
    assert not [said for said in complaints.said if "crashed" in said], complaints.said
    return found


class _Complaints(logging.Handler):
    """The log lines about workers: a worker that died of a picture refuses it with the same code as a worker that read
    it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
