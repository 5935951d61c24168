"""docs/protocol.md and the program agree: its bot is run, and its routes, codes and frames are those of the program."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from tests.bots import made
from tests.client import PASSWORD, Browser, opened
from tests.declared import CODES, FRAME_TYPES, ROUTES
from tests.docs.pages import ROOT, blocks, text
from tests.process.serving import make_administrator, serving

PAGE = text("docs/protocol.md")
FORMS_AND_PAGES = {"/", "/ws/chat/", "/setup/", "/sw.js", "/manifest.webmanifest", "/favicon.ico",
                   "/static/{version}/{name:.+}", "/password/{token}/"}  # fmt: skip


def part(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


async def a_bot(data_dir: Path, address: str) -> str:
    """Make a bot called 钟. Returns its token."""
    await make_administrator(data_dir, "店长")
    async with Browser(address) as admin:
        assert (await admin.log_in("店长")).status == 200
        return str((await made(admin, "钟"))["token"])


async def test_the_bot_answers_once(tmp_path: Path) -> None:
    bot, *_ = blocks("docs/protocol.md", "python")
    assert len([line for line in bot.splitlines() if line]) <= 22
    (tmp_path / "bot.py").write_text(bot, "utf-8")
    async with serving(tmp_path / "data", CHAT_SEND_INTERVAL="0") as room, Browser(room.address) as member:
        assert (await member.register("小明")).status == 201
        token = await a_bot(tmp_path / "data", room.address)
        socket = await member.socket()
        words = (sys.executable, str(tmp_path / "bot.py"), room.address, token)
        process = await asyncio.create_subprocess_exec(*words, cwd=tmp_path)
        try:
            await socket.expect("presence", online=2)
            asked = await socket.say("!time", client_id="one")
            await socket.say("what time is it?", client_id="two")
            await socket.send("react", id=asked["id"], emoji="👍")  # a change of a message is not answered again
            await socket.say("!time", client_id="three")
            answers = []
            while len(answers) < 2 or answers[-1]["reply_to"] == asked["id"]:
                message = (await socket.expect("message"))["message"]
                if message["user"] == "钟":
                    answers.append(message)
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answers[0]["text"])
            assert answers[0]["reply_to"] == asked["id"] != answers[1]["reply_to"]
        finally:
            process.terminate()
            await process.wait()


async def run(script: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await process.communicate())[0].decode()


async def test_the_bot_orders_and_the_checker_checks(tmp_path: Path) -> None:
    _, _, orders, checks = blocks("docs/protocol.md", "python")
    order, check = tmp_path / "order.py", tmp_path / "check.py"
    order.write_text(orders, "utf-8")
    check.write_text(checks, "utf-8")
    async with opened(tmp_path / "data") as house:
        await house.member("钟")
        assert "refused window_closed" in await run(order, house.address, "钟", PASSWORD, "1=2")
        admin = await house.administrator()
        await admin.preset("start", items=[{"name": "蓝莓", "stock": "3"}])
        said = await run(order, house.address, "钟", PASSWORD, "1=2")
        assert re.fullmatch(r"number 1 receipt [0-9a-f]{64}\n", said)
        assert "refused sold_out" in await run(order, house.address, "钟", PASSWORD, "1=2")
        digest = (await run(check, house.address, "1")).strip()
        assert digest == said.split()[-1]
        await house.server.room.database.run(
            lambda tx: tx.execute("UPDATE journal SET body = replace(body, '2', '3') WHERE entry = 2")
        )
        assert "entry 2 was changed" in await run(check, house.address, "1")


def test_every_route_for_programs_is_told() -> None:
    told = set(re.findall(r"`(/[^`]*)`", part("HTTP")))
    paths = {path for _, path, *_ in ROUTES} - FORMS_AND_PAGES
    named = r"\{(?:bot_)?(id|count|token)(:[^/]*)?\}"
    bare = {re.sub(named, r"<\1>", path).replace("{folder}/{name}", "…") for path in paths}
    assert bare - told == set()


def test_every_code_stands_beside_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (`.+) \|$", part("HTTP"), re.MULTILINE)
    told = {code: row[0] for row in rows for code in re.findall(r"`(\w+)`", row[1])}
    assert told.keys() == {code.value for code in CODES}
    assert [code.value for code in CODES if str(code.status) not in told[code.value]] == []


def types(table: str) -> set[str]:
    """The names in the first column of a table."""
    return {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_every_frame_is_told() -> None:
    socket = part("The WebSocket")
    from_client = socket.partition("| from a client")[2]
    assert types(from_client) == FRAME_TYPES
    from_server = socket.partition("| from a client")[0]
    code = "".join(path.read_text("utf-8") for path in (ROOT / "chatserver").rglob("*.py") if "ops" not in path.parts)
    code = re.sub(r'"""[^"].*?"""', "", code, flags=re.DOTALL)  # docstrings show the frames of clients
    said = set(re.findall(r'\\?"type\\?": ?\\?"(\w+)\\?"', code))
    assert len(said) > 10
    assert said - types(from_server) == set()


async def test_a_message_has_the_fields_that_the_page_shows(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        message = await (await house.member("小明")).say("hi")
    example = "".join(blocks("docs/protocol.md", "json"))
    assert re.findall(r'"(\w+)":', example) == list(message)


async def test_hello_has_the_fields_that_the_page_lists(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        socket = await (await house.guest()).socket()
    row = re.search(r"^\| `hello` \| (.+) \|$", PAGE, re.MULTILINE)
    assert row and set(re.findall(r"`(\w+)`", row[1])) | {"type"} == set(socket.hello)
