"""Pictures: what is stored, who may see it, and when it is erased."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.client import HTML, JSON, House, multipart, picture
from tests.support import eventually


async def test_a_picture_is_stored_and_served_under_its_ceiling(house: House) -> None:
    browser, guest = await house.member("小明"), await house.guest()
    message = await browser.show(picture(1200, 900, "JPEG"))
    for name, most in (("image", (1200, 900)), ("thumb", (480, 480))):
        answer = await guest.get(message[name])
        assert answer.status == 200
        assert answer.headers["Content-Type"] in ("image/webp", "image/jpeg")
        assert len(answer.body) <= 200 * 1024
        with Image.open(io.BytesIO(answer.body)) as image:
            assert image.width <= most[0] and image.height <= most[1]


async def test_a_served_picture_can_do_nothing(house: House) -> None:
    message = await (await house.member("小明")).show(picture())
    headers = (await (await house.guest()).get(message["image"])).headers
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in headers["Cache-Control"] and "public" not in headers["Cache-Control"]


@pytest.mark.parametrize("act", ["recall_message", "delete_message"])
async def test_what_was_taken_back_is_gone_at_once(house: House, act: str) -> None:
    browser, guest = await house.member("小明"), await house.guest()
    message = await browser.show(picture())
    await guest.get(message["image"])
    await browser.post(f"/{act}/{message['id']}/")
    for name in ("image", "thumb"):
        answer = await guest.get(message[name])
        assert (answer.status, answer.code) == (410, "gone")
        assert (await browser.get(message[name])).status == 410
        page = await guest.page(message[name])
        assert page.status == 410 and page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("folder", ["images", "avatars", "announcements", "presets"])
async def test_a_picture_that_never_was_is_not_found(house: House, folder: str) -> None:
    answer = await (await house.guest()).get(f"/media/{folder}/aaaaaaaaaaaaaaaaaaaaaaaa.webp")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/media/images/..%2f..%2fchat.db",
        "/media/..%2fchat.db/x",
        "/media/uploads/aaaaaaaaaaaaaaaaaaaaaaaa",
        "/media/images/",
        "/media/images/.webp",
        "/media/images/%00.webp",
        "/media/images/chat.db",
    ],
)
async def test_nothing_but_pictures_is_served(house: House, path: str) -> None:
    answer = await (await house.guest()).get(path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.settings(history_limit=1)
async def test_a_picture_that_expired_is_gone(house: House) -> None:
    browser = await house.member("小明")
    message = await browser.show(picture())
    await browser.say("next")
    assert (await browser.get(message["image"])).status in (404, 410)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"plain text", 415, "image_unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "image_unsupported"),
        (b"%PDF-1.7 nothing", 415, "image_unsupported"),
        (picture(300, 300)[:200], 400, "image_unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 400, "image_unreadable"),
    ],
)
async def test_what_is_no_picture_is_refused_and_leaves_nothing(
    house: House, content: bytes, status: int, code: str
) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/post/", {"text": "look"}, {"image": content})
    assert (answer.status, answer.code) == (status, code)
    assert await browser.messages() == []
    assert [path for path in (house.data_dir / "media").rglob("*") if path.is_file()] == []


@pytest.mark.settings(upload_max_mb=1)
async def test_an_upload_beyond_the_ceiling_is_refused_and_leaves_nothing(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/post/", {"text": "look"}, {"image": b"x" * 3_000_000})
    assert (answer.status, answer.code) == (413, "image_too_large")
    assert [path for path in (house.data_dir / "media").rglob("*") if path.is_file()] == []
    assert (await browser.say("still here"))["id"] == 1


@pytest.mark.settings(upload_max_mb=1)
async def test_an_upload_that_does_not_say_how_long_it_is_is_counted(house: House) -> None:
    browser = await house.member("小明")
    writer = multipart({"csrf_token": await browser.token()}, {"image": b"x" * 3_000_000})
    buffer = io.BytesIO()

    class Sink:
        async def write(self, chunk: bytes) -> None:
            buffer.write(chunk)

    await writer.write(Sink())

    async def stream():  # type: ignore[no-untyped-def]
        yield buffer.getvalue()

    headers = {**JSON, "Content-Type": writer.content_type}
    answer = await browser.request("POST", "/post/", data=stream(), headers=headers)
    assert (answer.status, answer.code) == (413, "image_too_large")


async def test_a_picture_under_the_upload_ceiling_and_over_a_megabyte_is_taken(house: House) -> None:
    browser = await house.member("小明")
    bulky = picture(700, 700, "PNG") + b"\0" * 1_500_000
    message = await browser.show(bulky)
    assert len((await browser.get(message["image"])).body) <= 200 * 1024


async def test_a_file_that_nobody_asked_for_is_refused(house: House) -> None:
    browser = await house.member("小明")
    answer = await browser.post("/post/", {"text": "look"}, {"attachment": picture()})
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_an_image_field_left_empty_is_no_picture(house: House) -> None:
    answer = await (await house.member("小明")).post("/post/", {"text": "only words"}, {"image": b""})
    assert (answer.status, answer.json["kind"], answer.json["image"]) == (201, "text", "")


# The announcement


async def test_an_announcement_is_shown_to_everyone_at_once(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    assert socket.hello["announcement"] == ""
    answer = await admin.post("/upload_global_background", files={"image": picture()})
    assert answer.status == 200
    shown = (await socket.expect("announcement"))["image"]
    assert shown.startswith("/media/announcements/")
    assert (await guest.get(shown)).status == 200
    assert (await guest.socket()).hello["announcement"] == shown


async def test_the_announcement_before_is_erased(house: House) -> None:
    admin, guest = await house.administrator(), await house.guest()
    socket = await guest.socket()
    await admin.post("/upload_global_background", files={"image": picture(colour="red")})
    first = (await socket.expect("announcement"))["image"]
    answer = await admin.post("/upload_global_background", files={"image": picture(colour="blue")}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    second = (await socket.expect("announcement"))["image"]
    assert first != second

    async def is_gone() -> bool:
        return (await guest.get(first)).status != 200

    await eventually(is_gone)
    assert (await guest.get(first)).code == "not_found"


@pytest.mark.parametrize(
    ("files", "status", "code"), [(None, 400, "empty"), ({"image": b"text"}, 415, "image_unsupported")]
)
async def test_an_announcement_without_a_picture_is_refused(
    house: House, files: dict[str, bytes] | None, status: int, code: str
) -> None:
    admin = await house.administrator()
    answer = await admin.post("/upload_global_background", {}, files)
    assert (answer.status, answer.code) == (status, code)
    page = await admin.post("/upload_global_background", {}, files, headers=HTML)
    assert page.status == status and page.headers["Content-Type"].startswith("text/html")
