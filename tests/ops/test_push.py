"""`chatserver push`: from a message in the room to a push service, and addresses that it never sends to."""

from __future__ import annotations

import asyncio
import base64
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatserver.ops.push import sender as sender_module
from chatserver.ops.push.forward import Forward
from chatserver.ops.push.public_addresses import PublicResolver, is_public
from chatserver.ops.push.sender import Message, Outcome, Sender
from tests.client import Browser, House, opened
from tests.features.push.browsers import Device
from tests.features.push.services import PushService, push_service
from tests.process.serving import PATIENCE, start
from tests.support import eventually


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PushService]:
    async with push_service(tmp_path) as found:
        yield found


@asynccontextmanager
async def pushing(house: House, service: PushService, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program as its unit starts it, until the block ends. It must end by SIGTERM with 0."""
    socket = house.data_dir / "push" / "push.sock"
    flags = ("--push-services", service.service, "--ca", str(service.ca), "--log-format", "text", *more)
    process = await start("push", "--socket", str(socket), *flags)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert await process.stdout.readline() == f"sending to {service.service}\n".encode()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            _, errors = await process.communicate()
        assert process.returncode == 0, errors


async def subscribed(house: House, service: PushService, name: str = "小明") -> tuple[Browser, Device]:
    member = await house.member(name)
    device = Device(f"{service.origin}/p/{member.login_token}")
    answer = await member.post_json("/push/", device.fields(words=True))
    assert answer.status == 200, answer.body
    return member, device


@asynccontextmanager
async def room(tmp_path: Path, service: PushService) -> AsyncIterator[House]:
    async with opened(tmp_path / "data", push="on", push_services=service.service) as house:
        yield house


async def test_a_mention_reaches_the_phone(tmp_path: Path, service: PushService) -> None:
    async with room(tmp_path, service) as house, pushing(house, service, "--allow-private"):
        _, device = await subscribed(house, service)
        hong = await house.member("小红")
        message = await hong.say("@小明 三点见")
        received = await service.nth(1)
        assert service.origin + received.path == device.endpoint
        assert device.payload(received.body)["body"] == "小红：@小明 三点见"
        headers = received.headers
        assert (headers["TTL"], headers["Urgency"]) == (str(12 * 3600), "normal")
        assert (headers["Topic"], headers["Content-Encoding"]) == (f"message-{message['id']}", "aes128gcm")
        assert headers["Authorization"].startswith("vapid t=")
        assert "Cookie" not in headers and "三点".encode() not in received.body

        await hong.recall(message["id"])
        replaced = device.payload((await service.nth(2)).body)
        assert (replaced["body"], replaced["tag"]) == ("消息已撤回或删除", f"message-{message['id']}")


async def test_a_dead_subscription_is_forgotten_and_a_busy_service_is_asked_again(
    tmp_path: Path, service: PushService
) -> None:
    service.answers = [(410, {}), (503, {})]
    async with room(tmp_path, service) as house, pushing(house, service, "--allow-private"):
        ming, _ = await subscribed(house, service)
        hua, living = await subscribed(house, service, "小花")
        hong = await house.member("小红")
        await hong.say("@小明 一")
        await service.nth(1)
        await hong.say("@小花 二")
        again = await service.nth(3)
        assert living.payload(again.body)["body"] == "小红：@小花 二"
        await hong.say("@小花 三")
        await service.nth(4)  # This request came after the sender reported the first subscription as gone.
        assert (await ming.get("/push/")).json["push"]["subscription"] is None
        assert (await hua.get("/push/")).json["push"]["subscription"]


async def test_without_the_option_for_tests_loopback_is_refused(tmp_path: Path, service: PushService) -> None:
    async with room(tmp_path, service) as house, pushing(house, service) as process:
        await subscribed(house, service)
        await (await house.member("小红")).say("@小明")
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stderr.readline()).decode()
        assert "localhost could not be reached: resolves to no public address" in line
        assert "/p/" not in line, "the address is a secret of the browser"
    assert service.received == []


async def test_what_became_of_messages_is_counted(tmp_path: Path, service: PushService) -> None:
    service.answers = [(201, {}), (410, {}), (403, {})]
    async with room(tmp_path, service) as house, pushing(house, service, "--allow-private"):
        hong = await house.member("小红")
        for number, name in enumerate(("小明", "小花", "小刚"), 1):
            await subscribed(house, service, name)
            await hong.say(f"@{name} 三点见")
            await service.nth(number)
        admin = await house.administrator()
        await admin.say("@小明 到了")  # handed over by the request that reports the messages before
        await service.nth(4)
        counted = {"sent": 1, "gone": 1, "failed": 1}
        await eventually(lambda: house.server.room.push_delivery.figures().outcomes == counted)
        scraped = (await admin.get("/metrics")).text
        for outcome in counted:
            assert f'chat_push_messages_total{{outcome="{outcome}"}} 1.0' in scraped
        assert "chat_push_sender_running 1.0" in scraped and "chat_push_queue_length 0.0" in scraped
        assert "chat_push_last_sent_timestamp_seconds 0.0" not in scraped
        now = (await admin.get("/status/", {"Accept": "application/json"})).json["now"]["push"]
        assert (now["is_running"], now["outcomes"]) == (True, counted)
        assert "已发送 1，失败 1，设备已失效 1，等待 0" in (await admin.page("/status/")).text


async def test_it_waits_for_a_server_that_is_not_there(tmp_path: Path, service: PushService) -> None:
    process = await start("push", "--data-dir", str(tmp_path / "data"), "--ca", str(service.ca))
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        assert b"the server does not answer" in await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_wrong_options_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for flags, says in (
        (("--ca", str(tmp_path / "ca.pem")), "is no certificate"),
        (("--ca", str(tmp_path / "none.pem")), "none.pem"),
        (("--push-services", "https://a.example"), "names of hosts"),
    ):
        process = await start("push", *flags)
        async with asyncio.timeout(PATIENCE):
            _, errors = await process.communicate()
        assert process.returncode and says in errors.decode() and errors.count(b"\n") == 1, errors


# One message


def message(service: PushService, *, ttl: int = 60, topic: str = "t", endpoint: str = "") -> Message:
    return Message(1, endpoint or f"{service.origin}/p", topic, "normal", ttl, "vapid t=x,k=y", b"body")


@pytest.fixture
async def sender(service: PushService, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sender]:
    monkeypatch.setattr(sender_module, "RETRY_SECONDS", (0.0, 0.0, 0.0))
    async with Sender((service.service,), ca=service.ca.read_text(), allow_private=True) as found:
        yield found


@pytest.mark.parametrize(
    ("answers", "outcome", "requests"),
    [
        ([201], Outcome.SENT, 1),
        ([404], Outcome.GONE, 1),
        ([410], Outcome.GONE, 1),
        ([400], Outcome.FAILED, 1),
        ([403], Outcome.FAILED, 1),
        ([302], Outcome.FAILED, 1),
        ([429, 201], Outcome.SENT, 2),
        ([500, 503, 502, 201], Outcome.SENT, 4),
        ([500] * 9, Outcome.FAILED, 4),
    ],
)
async def test_what_an_answer_means(
    service: PushService, sender: Sender, answers: list[int], outcome: Outcome, requests: int
) -> None:
    service.answers = [(status, {"Location": f"{service.origin}/elsewhere"}) for status in answers]
    assert await sender.send(message(service)) is outcome
    assert [received.path for received in service.received] == ["/p"] * requests


async def test_a_service_may_ask_for_a_longer_wait_but_not_beyond_the_messages_time(
    service: PushService, sender: Sender
) -> None:
    service.answers = [(429, {"Retry-After": "61"})]
    assert await sender.send(message(service, ttl=60)) is Outcome.FAILED
    assert len(service.received) == 1


async def test_a_service_off_the_list_or_with_another_certificate_gets_nothing(
    service: PushService, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for endpoint in ("https://127.0.0.1/x", "https://example.org/x", service.origin.replace("https", "http") + "/x"):
        assert await sender.send(message(service, endpoint=endpoint)) is Outcome.FAILED
    async with Sender((service.service,), allow_private=True) as distrusting:
        assert await distrusting.send(message(service)) is Outcome.FAILED
    assert "its certificate is not trusted" in caplog.text
    assert service.received == []


async def test_an_address_in_place_of_a_name_is_checked_too(service: PushService) -> None:
    port = service.service.partition(":")[2]
    async with Sender((f"127.0.0.1:{port}",), ca=service.ca.read_text()) as strict:
        assert await strict.send(message(service, endpoint=f"https://127.0.0.1:{port}/p")) is Outcome.FAILED
    assert service.received == []


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        *((address, False) for address in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254")),
        *((address, False) for address in ("100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1")),
        *((address, False) for address in ("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1")),
        *((address, False) for address in ("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "nonsense")),
    ],
)
def test_only_addresses_of_the_internet_are_public(address: str, is_so: bool) -> None:
    assert is_public(address) is is_so


async def test_a_name_that_resolves_to_loopback_is_refused() -> None:
    with pytest.raises(OSError, match="no public address"):
        await PublicResolver().resolve("localhost", 443)
    assert await PublicResolver(allow_private=True).resolve("localhost", 443)


class Held:
    """A sender whose first message never arrives."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.ended: list[bytes] = []

    async def send(self, message: Message) -> Outcome:
        self.begun.append(message.body)
        try:
            if len(self.begun) == 1:
                await asyncio.Event().wait()
        finally:
            self.ended.append(message.body)
        return Outcome.SENT


async def test_a_newer_message_never_overtakes_nor_follows_the_one_it_replaces(service: PushService) -> None:
    held = Held()
    forward = Forward(Path("unused"), held)  # type: ignore[arg-type]
    for body in (b"words", b"recalled"):
        forward._start(message(service)._replace(body=body))
        await eventually(lambda: held.begun)
    await eventually(lambda: held.ended == [b"words", b"recalled"])
    assert not forward._under_way


def test_what_is_no_message_is_refused() -> None:
    shown = {"subscription": 1, "endpoint": "", "topic": "", "urgency": "", "ttl": 1, "authorization": "", "body": ""}
    assert Message.of({**shown, "body": base64.b64encode(b"x").decode()}).body == b"x"
    for wrong in ({**shown, "body": "?"}, {}, {**shown, "body": None}):
        with pytest.raises((LookupError, TypeError, ValueError)):
            Message.of(wrong)
