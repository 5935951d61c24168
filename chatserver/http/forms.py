"""Reads request bodies as a stream: forms, uploads and JSON, with a size limit and a time limit for each chunk."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, content_disposition_filename, hdrs, parse_content_disposition, web
from aiohttp.http_exceptions import HttpProcessingError

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import whole_number
from chatserver.core.storage_errors import refusal
from chatserver.http import csrf, upload_size_limit
from chatserver.http.upload_concurrency import UploadSlot

log = logging.getLogger(__name__)
T = TypeVar("T")

# The time limit for the next chunk of a body.
CHUNK_TIMEOUT_SECONDS = 30.0
# A body may take a minute of grace time, plus the time that its bytes take at this rate, and at most BODY_SECONDS_MAX.
LEAST_BYTES_PER_SECOND = 8 * 1024
GRACE_SECONDS = 60.0
BODY_SECONDS_MAX = 900.0
# The most fields of a form. An order has up to 50 fields `item-<id>`, and the form of all settings has about 20 fields.
FIELDS_MAX = 64
_NUMBER_MAX = 10**18 - 1
# The maximum size of a text field, and of a body without files. A message of 10,000 characters of 4 bytes each has
# 120,000 bytes when it is percent-encoded.
FIELD_BYTES_MAX = 128 * 1024
# The maximum size of all text fields of a multipart form together.
FORM_BYTES_MAX = 2 * FIELD_BYTES_MAX


@dataclass(slots=True)
class Form:
    """Text fields, and the temporary paths of uploaded files. `close` removes the files."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.fields.get(name, "")

    def number(self, name: str) -> int | None:
        """A positive whole number below 10**18; None for an empty field. Raises DomainError: `bad_request`."""
        typed = self.text(name).strip()
        if not typed:
            return None
        found = whole_number(typed, 1, _NUMBER_MAX)
        if found is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
        return found


async def read(
    request: web.Request,
    check_token: Callable[[str], None],
    file_field: str,
    new_path: Callable[[], Path],
    upload_max: int,
    slot: UploadSlot,
    *,
    is_trusted: bool = False,
) -> Form:
    """Read the request's form. `check_token` gets the CSRF token before any upload is written.

    The token is in the header, or else in a field; in a multipart body this field must be the first part. A request
    of a bot (`is_trusted`) needs no token.
    `file_field` is the field that may contain a file, "" for none; `new_path` creates the path of an upload
    (blocking); `upload_max` is in bytes; `slot` counts the uploads that are being received.
    Raises DomainError: `csrf`, `bad_request`, `busy`, `body_too_large`, `image_too_large`, `storage_full`; then the
    uploaded files are removed.
    """
    header = request.headers.get(csrf.HEADER)
    if header is not None and not is_trusted:
        check_token(header)
    is_checked = is_trusted or header is not None
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request, check_token, is_checked, file_field, new_path, upload_max, slot)
    form = Form()
    if request.content_type == "application/x-www-form-urlencoded":
        form.fields = _parse(await _read_whole(request))
    if not is_checked:
        check_token(form.text(csrf.FIELD))
    return form


async def read_json(request: web.Request) -> dict[str, Any]:
    """Read a JSON object. Raises DomainError: `bad_request` (not a JSON object, or too slow), `body_too_large`."""
    try:
        value = json.loads(await _read_whole(request))
    except (ValueError, RecursionError):
        raise DomainError(ErrorCode.BAD_REQUEST) from None
    if not isinstance(value, dict):
        raise DomainError(ErrorCode.BAD_REQUEST)
    return value


async def _read_whole(request: web.Request) -> bytes:
    if (request.content_length or 0) > FIELD_BYTES_MAX:
        raise DomainError(ErrorCode.BODY_TOO_LARGE)
    body, pace = bytearray(), _Pace()
    while True:
        chunk = await pace.read(request.content.readany())
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > FIELD_BYTES_MAX:
            raise DomainError(ErrorCode.BODY_TOO_LARGE)


def _parse(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeError):
        raise DomainError(ErrorCode.BAD_REQUEST) from None
    return dict(pairs)


async def _read_multipart(
    request: web.Request,
    check_token: Callable[[str], None],
    is_checked: bool,
    file_field: str,
    new_path: Callable[[], Path],
    upload_max: int,
    slot: UploadSlot,
) -> Form:
    if not file_field and (request.content_length or 0) > FORM_BYTES_MAX:
        raise DomainError(ErrorCode.BODY_TOO_LARGE)
    upload_size_limit.check_declared(request.content_length, upload_max, FORM_BYTES_MAX)
    form, pace, text_bytes = Form(), _Pace(), 0
    try:
        reader = await request.multipart()
        for _ in range(FIELDS_MAX):
            part = await _next_part(reader, pace)
            if part is None:
                break
            if not is_checked:
                is_token = part.name == csrf.FIELD and not part.filename
                check_token(await _read_text(part, pace, FIELD_BYTES_MAX) if is_token else "")
                is_checked = True
            elif part.name == file_field and part.filename is not None:
                await _read_file(part, form, new_path, upload_max, pace, slot)
            elif part.name and part.filename is None:
                left = min(FIELD_BYTES_MAX, FORM_BYTES_MAX - text_bytes)
                form.fields[part.name] = text = await _read_text(part, pace, left)
                text_bytes += len(part.name) + len(text.encode())
            else:
                raise DomainError(ErrorCode.BAD_REQUEST, field=part.name)
        else:
            raise DomainError(ErrorCode.BAD_REQUEST)
        if not is_checked:
            check_token("")
    except BaseException as error:
        await close(form)
        # aiohttp's readers raise these classes for a body that is not multipart or ends too early.
        if isinstance(error, (ValueError, RuntimeError, AssertionError, LookupError)):
            raise DomainError(ErrorCode.BAD_REQUEST) from None
        raise
    return form


async def close(form: Form) -> None:
    """Remove the uploaded files of a form."""
    paths = list(form.files.values())
    form.files.clear()
    if paths:
        await asyncio.to_thread(_unlink, paths)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


class _Part(NamedTuple):
    """A part. Its `Content-Disposition` is parsed once, in 0.1 ms; aiohttp would parse it for each of the two names."""

    name: str
    filename: str | None
    content: BodyPartReader


async def _next_part(reader: MultipartReader, pace: _Pace) -> _Part | None:
    # Let other tasks run first, because a body that was already received may have many parts.
    await asyncio.sleep(0)
    part = await pace.wait(reader.next())
    if isinstance(part, MultipartReader):
        raise DomainError(ErrorCode.BAD_REQUEST)
    if part is None:
        return None
    _, parameters = parse_content_disposition(part.headers.get(hdrs.CONTENT_DISPOSITION))
    name, filename = (content_disposition_filename(parameters, each) for each in ("name", "filename"))
    return _Part(name or "", filename, part)


async def _read_text(part: _Part, pace: _Pace, most: int) -> str:
    body = bytearray()
    while chunk := await pace.read(part.content.read_chunk(8192)):
        body += chunk
        if len(body) > most:
            raise DomainError(ErrorCode.BODY_TOO_LARGE)
    return body.decode("utf-8")


async def _read_file(
    part: _Part,
    form: Form,
    new_path: Callable[[], Path],
    upload_max: int,
    pace: _Pace,
    slot: UploadSlot,
) -> None:
    """Write one upload to disk, chunk by chunk. Ignores an empty file, which browsers send for an empty field."""
    if part.name in form.files:
        raise DomainError(ErrorCode.BAD_REQUEST, field=part.name)
    slot.take()
    path = form.files[part.name] = await _in_thread(new_path)
    size = 0
    file = await _in_thread(lambda: path.open("wb"))
    try:
        while chunk := await pace.read(part.content.read_chunk(256 * 1024)):
            size += len(chunk)
            slot.add(len(chunk))
            upload_size_limit.check_received(size, upload_max)
            await _in_thread(functools.partial(file.write, chunk))
    finally:
        await _in_thread(file.close)
    if size == 0:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        del form.files[part.name]


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread. Raises DomainError for any OSError: `busy` if it is transient, else `storage_full`."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        log.error("storing an upload failed: %s", error)
        raise refusal(error) from error


class _Pace:
    """The time limits of one body. Raises DomainError `bad_request` if the body is too slow or invalid."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().time()
        self._received = 0

    async def read(self, chunk: Awaitable[bytes]) -> bytes:
        found = await self.wait(chunk)
        self._received += len(found)
        return found

    async def wait(self, awaitable: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._seconds_left()):
                return await awaitable
        except TimeoutError:
            raise DomainError(ErrorCode.BAD_REQUEST, still_seconds=int(CHUNK_TIMEOUT_SECONDS)) from None
        except (HttpProcessingError, web.RequestPayloadError):  # invalid headers of a part
            raise DomainError(ErrorCode.BAD_REQUEST) from None

    def _seconds_left(self) -> float:
        elapsed = asyncio.get_running_loop().time() - self._begun
        by_rate = GRACE_SECONDS + self._received / LEAST_BYTES_PER_SECOND - elapsed
        return max(0.0, min(CHUNK_TIMEOUT_SECONDS, by_rate, BODY_SECONDS_MAX - elapsed))
