"""The parts of a form that was received whole are read one in each pass of the loop, and their headers are parsed
once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chatserver.http import forms
from tests.client import opened

PARTS = 40


async def test_a_form_of_many_parts_is_read_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    passes = 0
    parsed: Counter[int] = Counter()

    def count_pass() -> None:
        nonlocal passes, handle
        passes += 1
        handle = loop.call_soon(count_pass)

    def counted(parse: Callable[..., Any]) -> Callable[..., Any]:
        def call(header: str | None) -> Any:
            parsed[passes] += 1
            return parse(header)

        return call

    async with opened(tmp_path) as house:
        member = await house.member("小明")
        for module in (forms, aiohttp.multipart):
            monkeypatch.setattr(module, "parse_content_disposition", counted(aiohttp.parse_content_disposition))
        headers = {"Accept": "application/json", "X-CSRFToken": await member.token()}
        form = aiohttp.FormData(default_to_multipart=True)
        for number in range(PARTS):
            form.add_field(f"field{number}", "x")
        form.add_field("text", "你好")
        handle = loop.call_soon(count_pass)
        answer = await member.request("POST", "/post/", data=form, headers=headers)
        handle.cancel()
    assert answer.status == 201
    # once by aiohttp, which searches for `_charset_`, and once here
    assert sum(parsed.values()) == 2 * (PARTS + 1)
    assert max(parsed.values()) == 2
