"""One table of settings; flags, variables, help and the settings page follow it."""

from __future__ import annotations

from dataclasses import fields

from chatserver.core.config import SETTINGS, Config, as_text, load


def test_every_field_of_the_config_has_a_row_in_the_table_in_the_same_order() -> None:
    assert [field.name for field in fields(Config)] == [setting.name for setting in SETTINGS]


def test_every_default_is_itself_a_good_value() -> None:
    config, sources = load({}, {})
    assert set(sources.values()) == {"default"}
    for setting in SETTINGS:
        assert getattr(config, setting.name) == setting.parse(setting.default)


def test_what_is_shown_can_be_typed_again() -> None:
    typed = {
        "base_url": "https://CHAT.example.org:443/",
        "trusted_proxies": "127.0.0.1, 10.0.0.0/8 ::1",
        "send_interval": "0.50",
        "timezone": "Europe/Berlin",
    }
    config, _ = load(typed, {})
    assert config.base_url == "https://chat.example.org"
    for setting in SETTINGS:
        value = getattr(config, setting.name)
        assert setting.parse(as_text(value)) == value


def test_a_variable_that_is_set_to_nothing_is_set() -> None:
    config, sources = load({}, {"CHAT_BASE_URL": ""})
    assert config.base_url == ""
    assert sources["base_url"] == "variable"


def test_cookies_are_secure_when_the_room_is_reached_over_https() -> None:
    assert not load({}, {})[0].secure
    assert load({"base_url": "https://chat.example.org"}, {})[0].secure
    assert load({"tls_cert": "c.pem", "tls_key": "k.pem"}, {})[0].secure
