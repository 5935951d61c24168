"""Reads request bodies as a stream: forms, uploads and JSON, with a size limit and a time limit for each chunk."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import whole_number
from chatserver.core.storage_errors import refusal
from chatserver.http import csrf

log = logging.getLogger(__name__)
T = TypeVar("T")

# The time limit for the next chunk of a body.
CHUNK_TIMEOUT_SECONDS = 30.0
# An order has up to 50 fields `item-<id>`; the form of all settings some 20.
FIELDS_MAX = 64
_NUMBER_MAX = 10**18 - 1
# A message of 10,000 characters of 4 bytes each has 120,000 bytes when it is percent-encoded.
FIELD_BYTES_MAX = 128 * 1024


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
    file_names: frozenset[str],
    new_path: Callable[[], Path],
    upload_max: int,
) -> Form:
    """Read the request's form. `check_token` gets the CSRF token before any upload is written.

    The token is in the header, or else in a field; in a multipart body this must be the first part.
    `file_names` are the fields that may contain a file; `new_path` creates the path of an upload (blocking);
    `upload_max` is in bytes.
    Raises DomainError: `csrf`, `bad_request`, `body_too_large`, `image_too_large`, `storage_full`; the
    uploaded files are removed then.
    """
    header = request.headers.get(csrf.HEADER)
    if header is not None:
        check_token(header)
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request, check_token, header is not None, file_names, new_path, upload_max)
    form = Form()
    if request.content_type == "application/x-www-form-urlencoded":
        form.fields = _parse(await _read_whole(request))
    if header is None:
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
    body = bytearray()
    while True:
        chunk = await _with_timeout(request.content.readany())
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
    file_names: frozenset[str],
    new_path: Callable[[], Path],
    upload_max: int,
) -> Form:
    if (request.content_length or 0) > upload_max + FIELD_BYTES_MAX:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE, limit_mb=upload_max // 1_048_576)
    form = Form()
    try:
        reader = await request.multipart()
        for _ in range(FIELDS_MAX):
            part = await _next_part(reader)
            if part is None:
                break
            if not is_checked:
                token = await _read_text(part) if part.name == csrf.FIELD and not part.filename else ""
                check_token(token)
                is_checked = True
            elif part.name in file_names and part.filename is not None:
                await _read_file(part, form, new_path, upload_max)
            elif part.name and part.filename is None:
                form.fields[part.name] = await _read_text(part)
            else:
                raise DomainError(ErrorCode.BAD_REQUEST, field=part.name or "")
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


async def _next_part(reader: MultipartReader) -> BodyPartReader | None:
    part = await _with_timeout(reader.next())
    if isinstance(part, MultipartReader):
        raise DomainError(ErrorCode.BAD_REQUEST)
    return part


async def _read_text(part: BodyPartReader) -> str:
    body = bytearray()
    while chunk := await _with_timeout(part.read_chunk(8192)):
        body += chunk
        if len(body) > FIELD_BYTES_MAX:
            raise DomainError(ErrorCode.BODY_TOO_LARGE)
    return body.decode("utf-8")


async def _read_file(part: BodyPartReader, form: Form, new_path: Callable[[], Path], upload_max: int) -> None:
    """Write one upload to disk, chunk by chunk. Ignores an empty file, which browsers send for an empty field."""
    assert part.name is not None
    if part.name in form.files:
        raise DomainError(ErrorCode.BAD_REQUEST, field=part.name)
    path = form.files[part.name] = await _in_thread(new_path)
    size = 0
    file = await _in_thread(lambda: path.open("wb"))
    try:
        while chunk := await _with_timeout(part.read_chunk(256 * 1024)):
            size += len(chunk)
            if size > upload_max:
                raise DomainError(ErrorCode.IMAGE_TOO_LARGE, limit_mb=upload_max // 1_048_576)
            await _in_thread(functools.partial(file.write, chunk))
    finally:
        await _in_thread(file.close)
    if size == 0:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        del form.files[part.name]


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread. Raises DomainError for any OSError: `storage_full`, or `busy` for one that passes."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        log.error("storing an upload failed: %s", error)
        raise refusal(error) from error


async def _with_timeout(awaitable: Awaitable[T]) -> T:
    """Raises DomainError: `bad_request` after CHUNK_TIMEOUT_SECONDS, and for a body that aiohttp cannot parse."""
    try:
        async with asyncio.timeout(CHUNK_TIMEOUT_SECONDS):
            return await awaitable
    except TimeoutError:
        raise DomainError(ErrorCode.BAD_REQUEST, still_seconds=int(CHUNK_TIMEOUT_SECONDS)) from None
    except (HttpProcessingError, web.RequestPayloadError):  # invalid headers of a part; invalid Content-Encoding
        raise DomainError(ErrorCode.BAD_REQUEST) from None
