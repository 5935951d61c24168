"""Debian's proxies, run with the snippets of docs/deploy/ as an operator would, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
NAME = "chat.example.org"


# The parameters of a proxy, in order: the port on which it listens, and the command.
Commands = dict[int, list[str]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A self-signed certificate for a host's name, and its key."""

    certificate: Path
    key: Path
    host: str = NAME

    @property
    def trusting(self) -> ssl.SSLContext:
        """An SSL context for a client that trusts only this certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))


def certificate(directory: Path, name: str = "one", host: str = NAME) -> Pair:
    """Make it with openssl, as the docs say."""
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
    """Resolve every name to this host."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


# Program -> its Debian packages, if they have other names.
_PACKAGES = {"nginx": "nginx-light", "lighttpd": "lighttpd lighttpd-mod-openssl", "varnishd": "varnish hitch"}
# .ci/run does not install it, because Varnish compiles its configuration and needs a compiler.
_NEVER_REQUIRED = {"varnishd", "hitch"}


def program(name: str) -> str:
    """The program's path. Without the program the test is skipped, or fails if the program is required."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        is_required = os.environ.get("CHAT_TEST_FRONTS") == "required" and name not in _NEVER_REQUIRED
        explain = pytest.fail if is_required else pytest.skip
        explain(f"no {name} here; Debian has it: apt install {_PACKAGES.get(name, name)}")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def snippet(file: str, *changes: tuple[str, str]) -> str:
    """The file of docs/deploy/ with the test's ports and paths in place of an operator's."""
    text = (ROOT / "docs/deploy" / file).read_text("utf-8")
    for old, new in changes:
        assert old in text, f"docs/deploy/{file} has no {old!r}"
        text = text.replace(old, new)
    return text


def nginx_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """Write the whole configuration around docs/deploy/nginx.conf. Returns the command that runs it."""
    text = snippet(
        "nginx.conf",
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{room_port};"),
        ("/var/log/nginx/access.log", str(directory / "access.log")),
        *letsencrypt(pair),
    )
    (directory / "chat.conf").write_text(text, "utf-8")
    temporary = "".join(
        f"    {kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        # Its workers would run as another user, who may not enter this test's directory.
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\nerror_log stderr warn;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{\n    access_log off;\n{temporary}    include {directory}/chat.conf;\n}}\n",
        "utf-8",
    )
    return {port: [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]}


def caddy_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """docs/deploy/Caddyfile with the test's certificate, because no authority here issues one for that name."""
    site = f"https://{pair.host}:{port} {{\n\tbind 127.0.0.1\n\ttls {pair.certificate} {pair.key}"
    text = snippet("Caddyfile", ("\nchat.example.org {", f"\n{site}"), ("127.0.0.1:8000", f"127.0.0.1:{room_port}"))
    options = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port {plain_port}\n}}\n"
    (directory / "Caddyfile").write_text(options + text, "utf-8")
    return {port: [program("caddy"), "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]}


def apache_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """docs/deploy/apache.conf in a minimal configuration of Apache. Its children must not run as root."""
    text = snippet(
        "apache.conf",
        ("*:443", f"127.0.0.1:{port}"),
        ("chat.example.org\n", f"{pair.host}\n"),
        ("http://127.0.0.1:8000/", f"http://127.0.0.1:{room_port}/"),
        *letsencrypt(pair),
    )
    modules = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http"]
    (directory / "apache.conf").write_text(
        "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
        + f"ServerRoot {directory}\nServerName {pair.host}\nPidFile {directory}/apache.pid\n"
        + f"DefaultRuntimeDir {directory}\nErrorLog /dev/stderr\nListen 127.0.0.1:{port}\n"
        + ("User www-data\nGroup www-data\n" if os.geteuid() == 0 else "")
        + text,
        "utf-8",
    )
    return {port: [program("apache2"), "-D", "FOREGROUND", "-f", str(directory / "apache.conf")]}


def lighttpd_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """Write docs/deploy/lighttpd.conf into a minimal configuration of lighttpd. Returns the command that runs it."""
    text = snippet(
        "lighttpd.conf",
        ('":443"', f'"127.0.0.1:{port}"'),
        ('"port" => 8000', f'"port" => {room_port}'),
        *letsencrypt(pair),
    )
    (directory / "lighttpd.conf").write_text(
        f'server.document-root = "{directory}"\nserver.bind = "127.0.0.1"\nserver.port = {plain_port}\n'
        f'server.upload-dirs = ( "{directory}" )\n{text}',
        "utf-8",
    )
    return {port: [program("lighttpd"), "-D", "-f", str(directory / "lighttpd.conf")]}


def haproxy_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """Write docs/deploy/haproxy.cfg with the test's ports. Returns the command that runs it."""
    text = snippet(
        "haproxy.cfg",
        ("bind :443", f"bind 127.0.0.1:{port}"),
        ("/etc/haproxy/chat.pem\n    #", f"{together(directory, pair)}\n    #"),
        ("server room 127.0.0.1:8000", f"server room 127.0.0.1:{room_port}"),
    )
    (directory / "haproxy.cfg").write_text(text, "utf-8")
    return {port: [program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]}


def varnish_config(directory: Path, pair: Pair, port: int, plain_port: int, room_port: int) -> Commands:
    """docs/deploy/varnish.vcl, and docs/deploy/hitch.conf in front of it."""
    vcl = snippet("varnish.vcl", ('.port = "8000"', f'.port = "{room_port}"'))
    (directory / "default.vcl").write_text(vcl, "utf-8")
    text = snippet(
        "hitch.conf",
        ("[*]:443", f"[127.0.0.1]:{port}"),
        ("[127.0.0.1]:6086", f"[127.0.0.1]:{plain_port}"),
        ('"/etc/hitch/chat.pem"', f'"{together(directory, pair)}"'),
        ('user = "_hitch"\n', ""),
    )
    (directory / "hitch.conf").write_text(text, "utf-8")
    hitch = [program("hitch"), f"--config={directory / 'hitch.conf'}"]
    if os.geteuid() == 0:
        hitch.append("--user=root")  # to read the certificate in this test's directory
    listen = f"127.0.0.1:{plain_port},PROXY"
    run = ("-F", "-j", "none", "-n", str(directory / "varnish"), "-s", "malloc,16m")
    varnish = [program("varnishd"), *run, "-a", listen, "-f", str(directory / "default.vcl")]
    return {plain_port: varnish, port: hitch}


def letsencrypt(pair: Pair) -> tuple[tuple[str, str], tuple[str, str]]:
    directory = "/etc/letsencrypt/live/chat.example.org"
    return (f"{directory}/fullchain.pem", str(pair.certificate)), (f"{directory}/privkey.pem", str(pair.key))


def together(directory: Path, pair: Pair) -> Path:
    """The certificate and the key in one file."""
    file = directory / "both.pem"
    file.write_text(pair.certificate.read_text("ascii") + pair.key.read_text("ascii"), "ascii")
    file.chmod(0o600)
    return file


Configure = Callable[[Path, Pair, int, int, int], Commands]
FRONTS: dict[str, Configure] = {
    "nginx": nginx_config,
    "caddy": caddy_config,
    "apache2": apache_config,
    "lighttpd": lighttpd_config,
    "haproxy": haproxy_config,
    "varnishd": varnish_config,
}


@contextlib.asynccontextmanager
async def front(commands: Commands, directory: Path) -> AsyncIterator[None]:
    """Run the proxy's processes. Yields when the proxy accepts connections, and ends the processes after the block."""
    async with contextlib.AsyncExitStack() as stack:
        for port, command in commands.items():
            await stack.enter_async_context(_running(command, directory, port))
        yield


@contextlib.asynccontextmanager
async def _running(command: list[str], directory: Path, port: int) -> AsyncIterator[None]:
    home = {**os.environ, "HOME": str(directory), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=home)
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
        yield
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
