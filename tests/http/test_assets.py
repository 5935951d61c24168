"""The program finds its templates, static files and compressed files in a checkout and in an installed package."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import pytest
from aiohttp import ClientSession, web

import hatch_build
from chatserver.http import assets
from chatserver.http.static_files import StaticTree

SCRIPT = b"// A reason.\nexport const answer = 42;\n"
SENT = b"\nexport const answer = 42;\n"


def test_a_checkout_has_them_beside_the_package() -> None:
    root = Path(assets.__file__).parents[2]
    assert assets.templates_dir() == root / "templates"
    assert assets.static_dir() == root / "static"


def test_an_installed_package_has_its_own_and_takes_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "chatserver"
    for place in (package, package.parent):
        (place / "templates").mkdir(parents=True)
    monkeypatch.setattr(assets, "_PACKAGE", package)
    assert assets.templates_dir() == package / "templates"
    with pytest.raises(FileNotFoundError, match="static"):
        assets.static_dir()


@pytest.fixture
def static(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    root.mkdir()
    (root / "answer.js").write_bytes(SCRIPT)
    (root / "dot.png").write_bytes(b"\x89PNG, or as good as one")
    return root


def build(static: Path) -> None:
    for place, content in hatch_build.compressed(static):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)


async def asked(static: Path, accepts: str, name: str = "answer.js") -> tuple[str, bytes]:
    """The coding and the bytes that a browser with this Accept-Encoding gets, from a room that is started now."""
    async for session, address in serving(static):
        async with session.get(f"{address}/{name}", headers={"Accept-Encoding": accepts}) as answer:
            if answer.status != 200:
                return str(answer.status), b""
            assert answer.headers["Vary"] == "Accept-Encoding"
            return answer.headers.get("Content-Encoding", ""), await answer.read()
    raise AssertionError


async def serving(static: Path) -> AsyncIterator[tuple[ClientSession, str]]:
    tree, app = StaticTree(static), web.Application()

    async def respond(request: web.Request) -> web.Response:
        return await tree.get(request)

    app.router.add_get("/static/{version}/{name:.+}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with ClientSession(auto_decompress=False) as session:
            yield session, f"http://127.0.0.1:{runner.addresses[0][1]}/static/{tree.version}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("accepts", "coding"), [
    ("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("br;q=0.1", "br"), ("BR", "br"),
    ("br;q=0, gzip;q=1.0", "gzip"), ("br; q=0.000, *", ""), ("identity", ""), ("", ""), ("brotli, xgzip", ""),
])  # fmt: skip
async def test_what_was_built_is_sent_to_browsers_that_take_it(static: Path, accepts: str, coding: str) -> None:
    build(static)
    found, body = await asked(static, accepts)
    assert found == coding
    decoded = {"br": brotli.decompress, "gzip": gzip.decompress}.get(coding, bytes)(body)
    assert decoded == SENT, "its comments are left out, and their lines stay"


async def test_a_checkout_that_was_never_built_is_sent_with_gzip(static: Path) -> None:
    coding, body = await asked(static, "gzip, br")
    assert (coding, gzip.decompress(body)) == ("gzip", SENT)


async def test_a_file_that_was_edited_since_is_sent_as_it_is_now(static: Path) -> None:
    build(static)
    (static / "answer.js").write_bytes(SCRIPT.replace(b"42", b"43"))
    coding, body = await asked(static, "gzip, br")
    assert (coding, gzip.decompress(body)) == ("gzip", SENT.replace(b"42", b"43"))


async def test_what_was_built_has_no_address_and_changes_none(static: Path) -> None:
    before = StaticTree(static)
    build(static)
    after = StaticTree(static)
    assert after.version == before.version
    [hidden, *_] = (static / ".prebuilt").iterdir()
    assert await asked(static, "", f".prebuilt/{hidden.name}") == ("404", b"")


async def test_pictures_are_left_alone(static: Path) -> None:
    build(static)
    assert await asked(static, "gzip, br", "dot.png") == ("", b"\x89PNG, or as good as one")


def test_a_style_sheet_is_sent_with_those_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "page.css").write_text('/* Both. */\n@import "parts/all.css";\np { color: red; }\n')
    (tmp_path / "parts/all.css").write_text('@import "first.css";\n@import "second.css";\n')
    (tmp_path / "parts/first.css").write_text("/* 1 */\na { color: blue; }\n")
    (tmp_path / "parts/second.css").write_text("b { color: green; }\n")
    sent = assets.bodies(tmp_path, {})["page.css"].split(b"\n")
    assert [line for line in sent if line] == [b"a { color: blue; }", b"b { color: green; }", b"p { color: red; }"]


def test_no_style_sheet_that_is_sent_asks_for_another() -> None:
    sheets = {name: body for name, body in assets.bodies(assets.static_dir(), {}).items() if name.endswith(".css")}
    assert "css/chatroom.css" in sheets
    assert [name for name, body in sheets.items() if b"@import" in body] == []
