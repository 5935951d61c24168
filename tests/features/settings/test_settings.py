"""The room's settings: which value counts, from when on, and what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatserver import binding
from chatserver.core import config
from chatserver.core.config import ROOM_SETTINGS
from chatserver.core.errors import ErrorCode
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.messages.expiry import MessagesExpired
from chatserver.features.settings import store as settings_store
from chatserver.features.settings.settings import ListedSetting, Settings, SettingsChanged
from tests.stage import Stage, refuses, staged
from tests.support import START_MS, FakeClock, make_config


async def listed(stage: Stage, name: str) -> ListedSetting:
    return next(item for item in await stage.room.change_settings.listed() if item.setting.name == name)


# Changing


async def test_an_administrators_word_is_in_force_at_once_and_told_to_all(stage: Stage, wang: User) -> None:
    changed = await stage.room.change_settings.change(wang, {"room_name": "莉莉的小店", "text_max": " 500 "})
    assert set(changed) == {"room_name", "text_max"}
    now = stage.room.settings.now
    assert (now.room_name, now.text_max) == ("莉莉的小店", 500)
    assert stage.told(SettingsChanged) == [SettingsChanged(now)]


async def test_every_rule_sees_it_without_a_restart(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.change_settings.change(wang, {"send_interval": "10", "recall_seconds": "5", "text_max": "3"})
    first = await stage.said(ming, "一二三")
    assert first.recall_until_ms - first.created_ms == 5_000
    with refuses(ErrorCode.TOO_FAST) as caught:
        await stage.say(ming, "四")
    assert caught.details["retry_after_ms"] == 10_000
    with refuses(ErrorCode.TOO_LONG):
        await stage.said(ming, "四个字呢")
    await stage.room.change_settings.change(wang, {"window_seconds": "7"})
    window = (await stage.room.windows.start(wang)).window
    assert window.closes_ms - window.opened_ms == 7_000


async def test_it_is_kept_with_who_and_when(stage: Stage, wang: User) -> None:
    stage.clock.forward(60)
    await stage.room.change_settings.change(wang, {"send_interval": "0.5"})
    item = await listed(stage, "send_interval")
    assert (item.value, item.source) == (0.5, "room")
    assert (item.operators_value, item.operators_source) == (2.0, "default")
    assert item.last == settings_store.Change("0.5", START_MS + 60_000, "老王")


async def test_it_survives_a_restart_and_wins_over_the_operator(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王")
        await stage.sql("UPDATE users SET role = 'administrator'")
        await stage.room.change_settings.change(wang, {"history_limit": "7"})
    async with staged(tmp_path, clock, history_limit=50) as stage:
        assert stage.room.settings.now.history_limit == 50
        await stage.room.change_settings.load()
        assert stage.room.settings.now.history_limit == 7


@pytest.mark.parametrize("nothing", [None, "", "  "])
async def test_nothing_typed_gives_a_setting_back_to_the_operator(
    stage: Stage, wang: User, nothing: str | None
) -> None:
    await stage.room.change_settings.change(wang, {"text_max": "5"})
    assert await stage.room.change_settings.change(wang, {"text_max": nothing}) == ("text_max",)
    assert stage.room.settings.now.text_max == 2000
    item = await listed(stage, "text_max")
    assert item.source == "default"
    assert item.last == settings_store.Change(None, START_MS, "老王")  # the administrator who reset it is known too


async def test_saying_what_is_so_already_changes_nothing(stage: Stage, wang: User) -> None:
    same = {name: config.as_text(getattr(stage.room.settings.now, name)) for name in ROOM_SETTINGS}
    assert await stage.room.change_settings.change(wang, {**same, "text_max": None}) == ()
    assert stage.told(SettingsChanged) == []
    assert {(item.source, item.last) for item in await stage.room.change_settings.listed()} == {("default", None)}


# Refusing


@pytest.mark.parametrize(
    ("name", "typed", "details"),
    [
        ("room_name", "x" * 41, {"reason": "text", "least": 1, "most": 40}),
        ("room_name", "two\nlines", {"reason": "text", "least": 1, "most": 40}),
        ("room_name", "half \ud800", {"reason": "text", "least": 1, "most": 40}),
        ("text_max", "many", {"reason": "whole", "least": 1, "most": 10_000}),
        ("text_max", "10001", {"reason": "whole", "least": 1, "most": 10_000}),
        ("send_interval", "-1", {"reason": "number", "least": 0, "most": 3600}),
        ("send_interval", "nan", {"reason": "number", "least": 0, "most": 3600}),
        ("send_interval", "0." + "0" * 100_000 + "1", {"reason": "number", "least": 0, "most": 3600}),
        ("registration", "maybe", {"reason": "choice"}),
        ("port", "80", {}),
        ("data_dir", "/tmp", {}),
        ("bcrypt_rounds", "4", {}),
        ("no_such", "1", {}),
    ],
)
async def test_one_wrong_word_and_nothing_is_changed(
    stage: Stage, wang: User, name: str, typed: str, details: dict[str, Any]
) -> None:
    before = stage.room.settings.now
    with refuses(ErrorCode.BAD_REQUEST) as caught:
        await stage.room.change_settings.change(wang, {"recall_seconds": "99", name: typed})
    assert caught.details == {"field": name, **details}
    assert stage.room.settings.now == before
    assert await stage.sql("SELECT * FROM settings") == []


async def test_a_member_may_change_nothing(stage: Stage, ming: User) -> None:
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.change_settings.change(ming, {"text_max": "5"})
    assert stage.room.settings.now.text_max == 2000


def test_what_the_operator_alone_must_decide_is_not_the_rooms() -> None:
    operators = {
        "host", "port", "data_dir", "base_url", "trusted_proxies", "tls_cert", "tls_key", "timezone",
        "max_connections", "connections_per_address", "push_services", "bcrypt_rounds", "metrics_token",
        "log_level", "log_format",
    }  # fmt: skip
    assert {setting.name for setting in config.SETTINGS} - ROOM_SETTINGS.keys() == operators


async def test_what_does_not_reach_the_disk_is_not_in_force(stage: Stage, wang: User) -> None:
    before = stage.room.settings.now

    def unit(tx: Transaction) -> None:
        stage.room.settings.change(tx, wang, {"text_max": "5"}, START_MS)
        assert stage.room.settings.now.text_max == 5  # also for the rest of the batch
        raise LookupError

    with pytest.raises(LookupError):
        await stage.run(unit)
    assert stage.room.settings.now is before
    assert stage.room.settings.source("text_max") == "default"
    assert stage.told(SettingsChanged) == []


# Overrides of another version


async def test_a_word_that_this_program_does_not_understand_is_left_out_and_logged(
    stage: Stage, wang: User, caplog: pytest.LogCaptureFixture
) -> None:
    for name, typed in (("text_max", "500"), ("send_interval", "soon"), ("colour", "jade"), ("port", "80")):
        await stage.run(lambda tx, n=name, t=typed: settings_store.put(tx, n, t, START_MS, wang.id))  # type: ignore[misc]
    await stage.room.change_settings.load()
    now = stage.room.settings.now
    assert (now.text_max, now.send_interval, now.port) == (500, 2.0, 0)
    assert {name for name in ("text_max", "send_interval", "colour", "port") if name in caplog.text} == {
        "send_interval", "colour", "port",
    }  # fmt: skip
    assert (await listed(stage, "send_interval")).source == "default"
    await stage.room.change_settings.change(wang, {"send_interval": "3"})
    assert stage.room.settings.now.send_interval == 3.0


def test_the_operators_sources_are_known(tmp_path: Path) -> None:
    sources = {"text_max": "variable", "guests": "flag"}
    there = Settings(make_config(tmp_path), sources)
    assert [there.source(name) for name in ("text_max", "guests", "room_name")] == ["variable", "flag", "default"]


# The history


async def test_a_shorter_history_erases_in_the_same_commit(stage: Stage, ming: User, wang: User) -> None:
    for _ in range(5):
        await stage.said(ming)
    stage.told()
    await stage.room.change_settings.change(wang, {"history_limit": "2"})
    assert stage.happened() == ["SettingsChanged", "MessagesExpired"]
    assert await stage.sql("SELECT count(*) FROM messages") == [(2,)]


async def test_fewer_hours_erase_too_and_wake_the_timer_for_the_rest(stage: Stage, ming: User, wang: User) -> None:
    await stage.said(ming)
    stage.clock.forward(7200)
    await stage.said(ming)
    stage.told()
    timers = binding.timers(stage.room.features(), stage.publisher, stage.clock)
    [expiry] = [timer for timer in timers if timer.name == "expiry"]
    assert not expiry._woken.is_set()
    await stage.room.change_settings.change(wang, {"history_hours": "1"})
    assert stage.told(MessagesExpired) == [MessagesExpired((1,), 2)]
    assert expiry._woken.is_set()


# Set up


async def test_the_first_administrator_sets_the_room_up_in_the_same_act(stage: Stage) -> None:
    token = await stage.room.setup.prepare()
    words = {"room_name": "莉莉的小店", "registration": "invite", "guests": "read"}
    user = await stage.room.setup.set_up(token, "莉莉", "correct horse 电池", words)
    now = stage.room.settings.now
    assert (now.room_name, now.registration, now.guests) == ("莉莉的小店", "invite", "read")
    item = await listed(stage, "room_name")
    assert item.last is not None and item.last.by == user.name
    assert (await listed(stage, "guests")).source == "default"  # unchanged: still the operator's value


async def test_a_set_up_with_a_wrong_word_makes_nobody_an_administrator(stage: Stage) -> None:
    token = await stage.room.setup.prepare()
    with refuses(ErrorCode.BAD_REQUEST) as caught:
        await stage.room.setup.set_up(token, "莉莉", "correct horse 电池", {"guests": "write"})
    assert caught.details["field"] == "guests"
    assert await stage.room.setup.is_token(token)
    assert await stage.sql("SELECT * FROM users") == []
