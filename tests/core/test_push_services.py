"""The list of push services: its valid values, and the endpoints that it allows."""

from __future__ import annotations

import pytest

from chatserver.core.config import SETTINGS
from chatserver.core.push_services import ENDPOINT_MAX, SERVICES_MAX, origin_of, push_services

DEFAULT = push_services(next(setting.default for setting in SETTINGS if setting.name == "push_services"))


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:def", "https://fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "https://updates.push.services.mozilla.com"),
        ("https://web.push.apple.com/QGx", "https://web.push.apple.com"),
        ("https://WNS2-par02p.notify.windows.com/w/?token=B%2f", "https://wns2-par02p.notify.windows.com"),
        ("https://fcm.googleapis.com:443/x", "https://fcm.googleapis.com"),
    ],
)
def test_the_browsers_services_are_on_the_list(endpoint: str, origin: str) -> None:
    assert origin_of(endpoint, DEFAULT) == origin


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://notify.windows.com/x",
        "https://evil.example/#.notify.windows.com",
        "https://evil.example\\.notify.windows.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user:word@fcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/\u4f60",
        "https://fcm.googleapis.com/\n",
        "//fcm.googleapis.com/x",
        "https:///x",
        "",
        "https://fcm.googleapis.com/" + "x" * ENDPOINT_MAX,
    ],
)
def test_no_other_address_is(endpoint: str) -> None:
    assert origin_of(endpoint, DEFAULT) is None


def test_a_port_is_named_and_then_it_is_that_one_alone() -> None:
    services = push_services("push.example.org:8443 , *.example.net:1")
    assert services == ("push.example.org:8443", "*.example.net:1")
    assert origin_of("https://push.example.org:8443/x", services) == "https://push.example.org:8443"
    assert origin_of("https://push.example.org/x", services) is None
    assert origin_of("https://a.example.net:1/x", services) == "https://a.example.net:1"
    assert origin_of("https://push.example.org/", push_services("")) is None


@pytest.mark.parametrize(
    "text",
    [
        *("https://a.example", "*", "*.", "a..b", "a.example/", "a.example:0", "a_b", "a.example:1:2", "a.*.b"),
        *("中文.example", ",".join(["a.example"] * (SERVICES_MAX + 1))),
    ],
)
def test_what_is_no_list_of_hosts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names of hosts"):
        push_services(text)
