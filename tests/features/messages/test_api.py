"""Reading messages: the newest, older ones, and search results; and messages that are no longer kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatserver.features.messages import chunked_pages, encode, recent
from chatserver.features.messages.search import Query
from tests.client import Browser, House, opened
from tests.support import FakeClock


async def texts(browser: Browser, path: str) -> list[str]:
    answer = await browser.get(path)
    assert answer.status == 200, answer.body
    return [message["text"] for message in answer.json["messages"]]


def numbers(first: int, last: int) -> list[str]:
    return [str(n) for n in range(first, last + 1)]


@pytest.fixture
async def talker(house: House) -> Browser:
    """A room in which a member has posted 1 to 60."""
    browser = await house.member("小明")
    for n in range(1, 61):
        await browser.say(str(n))
    return browser


async def test_the_newest_fifty_oldest_first_with_where_they_stand(talker: Browser) -> None:
    answer = (await talker.get("/api/recent_messages/")).json
    assert [message["text"] for message in answer["messages"]] == numbers(11, 60)
    assert set(answer) >= {"messages", "seq", "first_id", "epoch"}
    assert (answer["seq"], answer["first_id"]) == (60, 1)
    assert isinstance(answer["epoch"], str) and answer["epoch"]


@pytest.mark.parametrize(("count", "first"), [(1, 60), (5, 56), (60, 1), (100, 1), (10**30, 1)])
async def test_as_many_of_the_newest_as_one_asks_for(talker: Browser, count: int, first: int) -> None:
    assert await texts(talker, f"/api/recent_messages_apiint/{count}") == numbers(first, 60)


async def test_none_of_the_newest_is_none(talker: Browser) -> None:
    assert await texts(talker, "/api/recent_messages_apiint/0") == []


async def test_paging_back_meets_every_message_once(talker: Browser) -> None:
    seen: list[str] = []
    before = 10**9
    while True:
        page = (await talker.get(f"/api/messages/?before={before}&limit=7")).json["messages"]
        if not page:
            break
        seen = [message["text"] for message in page] + seen
        before = page[0]["id"]
    assert seen == numbers(1, 60)


async def test_the_page_just_before_an_id(talker: Browser) -> None:
    assert await texts(talker, "/api/messages/?before=31&limit=10") == numbers(21, 30)
    assert await texts(talker, "/api/messages/?before=31") == numbers(1, 30)
    assert await texts(talker, "/api/messages/?before=1") == []
    assert await texts(talker, "/api/messages/?limit=100") == numbers(1, 60)


async def test_pages_leave_out_what_was_deleted_and_count_what_was_recalled(talker: Browser) -> None:
    await talker.delete(30)
    await talker.recall(29)
    assert await texts(talker, "/api/messages/?before=31&limit=3") == ["27", "28", ""]
    assert len(await texts(talker, "/api/recent_messages_apiint/100")) == 59


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=1.5",
        "limit=٣",
        "before=0",
        "before=-1",
        "before=x",
        "before=",
        "before=99999999999999999999",
        "before=1e3",
        "limit=%00",
    ],
)
async def test_a_page_that_cannot_be_is_refused(house: House, query: str) -> None:
    answer = await (await house.guest()).get(f"/api/messages/?{query}")
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_searching_finds_every_word_in_any_case_newest_last(house: House) -> None:
    browser = await house.member("小明")
    for text in ("Red tea", "green TEA", "红茶 and red tea", "100% _sure_"):
        await browser.say(text)
    assert await texts(browser, "/api/messages/?q=tea") == ["Red tea", "green TEA", "红茶 and red tea"]
    assert await texts(browser, "/api/messages/?q=TEA+red") == ["Red tea", "红茶 and red tea"]
    assert await texts(browser, "/api/messages/?q=茶") == ["红茶 and red tea"]
    assert await texts(browser, "/api/messages/?q=tea&limit=1") == ["红茶 and red tea"]
    assert await texts(browser, "/api/messages/?q=tea&before=3") == ["Red tea", "green TEA"]
    assert await texts(browser, "/api/messages/?q=%25") == ["100% _sure_"]
    assert await texts(browser, "/api/messages/?q=coffee") == []
    assert await texts(browser, "/api/messages/?q=") == []


async def test_searching_finds_nothing_that_was_taken_back(house: House) -> None:
    browser = await house.member("小明")
    for text in ("secret one", "secret two", "secret three"):
        await browser.say(text)
    await browser.recall(1)
    await browser.delete(2)
    assert await texts(browser, "/api/messages/?q=secret") == ["secret three"]


async def test_a_search_that_is_too_long_is_refused(house: House) -> None:
    answer = await (await house.guest()).get("/api/messages/?q=" + "x" * 201)
    assert (answer.status, answer.code) == (400, "too_long")


@pytest.mark.settings(history_limit=3)
async def test_what_is_beyond_the_count_is_gone_from_everywhere(house: House) -> None:
    browser = await house.member("小明")
    for n in range(1, 6):
        await browser.say(f"number {n}")
    expected = ["number 3", "number 4", "number 5"]
    for path in (
        "/api/recent_messages/",
        "/api/recent_messages_apiint/100",
        "/api/messages/",
        "/api/messages/?q=number",
    ):
        assert await texts(browser, path) == expected
    assert (await browser.get("/api/recent_messages/")).json["first_id"] == 3


@pytest.mark.settings(history_limit=3)
async def test_recalled_messages_count_towards_the_limit_and_deleted_ones_do_not(house: House) -> None:
    browser = await house.member("小明")
    for n in range(1, 4):
        await browser.say(str(n))
    await browser.recall(2)
    await browser.delete(3)
    await browser.say("4")
    assert await texts(browser, "/api/recent_messages/") == ["1", "", "4"]
    await browser.say("5")
    assert await texts(browser, "/api/recent_messages/") == ["", "4", "5"]


@pytest.mark.settings(history_hours=1)
async def test_what_is_too_old_is_gone(house: House) -> None:
    browser = await house.member("小明")
    await browser.say("old")
    house.clock.forward(1800)
    await browser.say("middle")
    house.clock.forward(1800)
    await browser.say("new")
    assert await texts(browser, "/api/recent_messages/") == ["middle", "new"]
    assert (await browser.get("/api/recent_messages/")).json["first_id"] == 2


async def test_an_id_is_never_used_twice(tmp_path: Path) -> None:
    async with opened(tmp_path, history_hours=1) as house:
        browser = await house.member("小明")
        await browser.say("one")
        await browser.delete(1)
        house.clock.forward(4000)
        await browser.say("two")
    async with opened(tmp_path, history_hours=1) as house:
        other = await house.guest()
        await other.log_in("小明")
        assert (await other.say("three"))["id"] == 3


@pytest.mark.settings(history_limit=600)
async def test_a_long_history_is_read_to_its_end(house: House) -> None:
    browser = await house.member("小明")
    socket = await browser.socket()
    for n in range(1, 561):
        await socket.send("post", text=str(n), client_id=str(n))
    await socket.expect("ack", client_id="560")
    assert await texts(browser, "/api/recent_messages_apiint/1000") == numbers(1, 560)
    assert await texts(browser, "/api/recent_messages_apiint/540") == numbers(21, 560)
    assert await texts(browser, "/api/recent_messages/") == numbers(511, 560)


@pytest.mark.parametrize("count", [30, 600])
async def test_long_messages_make_an_answer_shorter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """For messages in memory (30) and for messages read from the database (600)."""
    assert encode.ANSWER_BYTES_MAX == 8 * 1024 * 1024
    for module in (chunked_pages, recent):
        monkeypatch.setattr(module, "ANSWER_BYTES_MAX", 20_000)
    async with opened(tmp_path, history_limit=1000) as house:
        browser = await house.member("小明")
        for n in range(30):
            await browser.say(f"{n:02}" + "菜" * 1000)
        answer = await browser.get(f"/api/recent_messages_apiint/{count}")
        shown = [message["text"][:2] for message in answer.json["messages"]]
        assert shown == ["25", "26", "27", "28", "29"]  # 5 messages of about 3.4 KB
        assert len(answer.body) < 20_300
        older = (await browser.get(f"/api/messages/?before={answer.json['messages'][0]['id']}")).json["messages"]
        assert older[-1]["text"][:2] == "24"


async def test_search_by_author_and_day(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock, history_hours=24 * 30) as house:
        ming, hong = await house.member("小明"), await house.member("Zoë")
        for day in range(3):
            for browser, name in ((ming, "小明"), (hong, "Zoë")):
                await browser.say(f"{name} 的第 {day} 天：蓝莓")
            clock.forward(86_400)
        first = (await ming.get("/api/messages/")).json["messages"][0]["timestamp"][:10]
        second = (date.fromisoformat(first) + timedelta(days=1)).isoformat()
        search = "/api/messages/?"
        assert await texts(ming, f"{search}by=小明") == [f"小明 的第 {day} 天：蓝莓" for day in range(3)]
        assert await texts(ming, f"{search}by=zoe%CC%88&q=第 1") == ["Zoë 的第 1 天：蓝莓"]
        assert await texts(ming, f"{search}day={second}") == ["小明 的第 1 天：蓝莓", "Zoë 的第 1 天：蓝莓"]
        assert await texts(ming, f"{search}day={second}&by=小明&q=蓝莓") == ["小明 的第 1 天：蓝莓"]
        assert await texts(ming, f"{search}day={second}&limit=1") == ["Zoë 的第 1 天：蓝莓"]
        assert await texts(ming, f"{search}first={second}") == ["小明 的第 1 天：蓝莓"]
        assert await texts(ming, f"{search}first=2020-01-01") == []
        assert await texts(ming, f"{search}by=没有这个人") == []
        assert await texts(ming, f"{search}by=&q=&day=") == []


@pytest.mark.parametrize(
    "day", ["2026-02-30", "20260101", "2026-W01-1", "1970-01-01", "9999-01-01", "x", "２０２６-01-01"]
)
@pytest.mark.parametrize("name", ["day", "first"])
async def test_what_is_no_day_is_refused(house: House, name: str, day: str) -> None:
    answer = await (await house.guest()).get(f"/api/messages/?{name}={day}")
    assert (answer.status, answer.code, answer.json["error"]["field"]) == (400, "bad_request", name)


async def test_a_day_is_one_of_the_room(tmp_path: Path) -> None:
    """A day of 23 hours, on which summer time begins: 2026-03-29 in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    query = Query.of("", "", date(2026, 3, 29), berlin)
    assert query.to_ms - query.from_ms == 23 * 3_600_000
    assert query.from_ms == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp() * 1000
