"""Debian's nginx and Caddy, run with the snippets of docs/deploy/ as an operator would, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
NAME = "chat.example.org"


@dataclass(frozen=True, slots=True)
class Pair:
    """A self-signed certificate for a host's name, and its key."""

    certificate: Path
    key: Path
    host: str = NAME

    @property
    def trusting(self) -> ssl.SSLContext:
        """For a client that trusts this certificate alone."""
        return ssl.create_default_context(cafile=str(self.certificate))


def certificate(directory: Path, name: str = "one", host: str = NAME) -> Pair:
    """Made with openssl, as the docs say."""
    openssl = program("openssl")
    pair = Pair(directory / f"{name}.pem", directory / f"{name}.key", host)
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
         "-keyout", str(pair.key), "-out", str(pair.certificate)],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )  # fmt: skip
    return pair


class HereResolver(AbstractResolver):
    """Every name is this host's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def program(name: str) -> str:
    """The program's path; the test is skipped without it, or fails where it must be there."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        explain = pytest.fail if os.environ.get("CHAT_TEST_FRONTS") == "required" else pytest.skip
        explain(f"no {name} here; Debian has it: apt install {'nginx-light' if name == 'nginx' else name}")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def nginx_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> list[str]:
    """The whole configuration around docs/deploy/nginx.conf; the command that runs it."""
    snippet = (ROOT / "docs/deploy/nginx.conf").read_text("utf-8")
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{room_port};"),
        ("/var/log/nginx/access.log", str(directory / "access.log")),
        ("/etc/letsencrypt/live/chat.example.org/fullchain.pem", str(pair.certificate)),
        ("/etc/letsencrypt/live/chat.example.org/privkey.pem", str(pair.key)),
    ):
        assert old in snippet, f"docs/deploy/nginx.conf has no {old!r}"
        snippet = snippet.replace(old, new)
    (directory / "chat.conf").write_text(snippet, "utf-8")
    temporary = "".join(
        f"    {kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        # Its workers would be another user's, who may not enter this test's directory.
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\nerror_log stderr warn;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{\n    access_log off;\n{temporary}    include {directory}/chat.conf;\n}}\n",
        "utf-8",
    )
    return [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]


def caddy_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> list[str]:
    """docs/deploy/Caddyfile with a certificate of ours, since nobody here gives one to that name."""
    snippet = (ROOT / "docs/deploy/Caddyfile").read_text("utf-8")
    site = f"https://{pair.host}:{port} {{\n\tbind 127.0.0.1\n\ttls {pair.certificate} {pair.key}"
    for old, new in (
        ("\nchat.example.org {", f"\n{site}"),
        ("127.0.0.1:8000", f"127.0.0.1:{room_port}"),
    ):
        assert old in snippet, f"docs/deploy/Caddyfile has no {old!r}"
        snippet = snippet.replace(old, new)
    options = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port {plain_port}\n}}\n"
    (directory / "Caddyfile").write_text(options + snippet, "utf-8")
    return [program("caddy"), "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


Configure = Callable[[Path, Pair, int, int, int], list[str]]
FRONTS: dict[str, Configure] = {"nginx": nginx_config, "caddy": caddy_config}


@contextlib.asynccontextmanager
async def front(command: list[str], directory: Path, port: int) -> AsyncIterator[Process]:
    """The proxy's process, from when it takes connections until the block ends."""
    home = {**os.environ, "HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=home)
    assert process.stderr is not None
    said: list[bytes] = []

    async def listen() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            said.append(line)

    listening = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _answers(port):
                assert process.returncode is None, b"".join(said).decode()
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await listening


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
