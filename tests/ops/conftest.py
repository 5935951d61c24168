"""A command line for each test, without settings of the machine, and the output of the command."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatserver import cli


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The only line on standard error."""
        assert self.out == ""
        assert self.err.startswith("chatserver: ") and self.err.count("\n") == 1, self.err
        return self.err.removeprefix("chatserver: ").rstrip("\n")

    @property
    def json(self) -> Any:
        assert self.err == ""
        return json.loads(self.out)


Operator = Callable[..., Said]
Operate = Callable[..., Awaitable[Said]]


@pytest.fixture
def operator(no_variables: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operator:
    """`operator("backup", path)` runs a command in this process; `typed` is what it reads from standard input."""
    monkeypatch.setenv("CHAT_BCRYPT_ROUNDS", "4")

    def operate(*arguments: str | Path, typed: str = "") -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), "utf-8"))
        code = cli.main([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return operate


@pytest.fixture
def operate(operator: Operator) -> Operate:
    """The same, in a thread beside a running loop."""

    async def in_thread(*arguments: str | Path, typed: str = "") -> Said:
        return await asyncio.to_thread(operator, *arguments, typed=typed)

    return in_thread
