"""The only secret setting is never printed."""

from __future__ import annotations

import pytest

from chatserver import cli
from chatserver.core.config import SETTINGS, ConfigError, load

TOKEN = "tok-0123456789abcdef"


@pytest.mark.parametrize("format", [[], ["--json"]])
def test_settings_says_only_that_there_is_one(
    format: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    monkeypatch.setenv("CHAT_METRICS_TOKEN", TOKEN)
    assert cli.main(["settings", "--data-dir", str(tmp_path), *format]) == 0
    printed = capsys.readouterr().out
    assert TOKEN not in printed and "(set)" in printed


@pytest.mark.parametrize("wrong", ["short", "with a space in it", "x" * 201, "非ASCII的令牌不能放进请求头里面去"])
def test_one_that_cannot_be_used_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load({}, {"CHAT_METRICS_TOKEN": wrong})
    assert "CHAT_METRICS_TOKEN" in str(refused.value) and wrong not in str(refused.value)


def test_no_other_setting_is_a_secret_by_mistake() -> None:
    assert [setting.name for setting in SETTINGS if setting.is_secret] == ["metrics_token"]
