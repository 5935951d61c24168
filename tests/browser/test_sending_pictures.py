"""Sending pictures: small enough for the line, together as an album, never in the way of a text, tried again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Request, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import Visitor
from tests.browser.pictures import pick, png
from tests.media import samples

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
POST = "**/post/"


def jpeg(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def choose(visitor: Visitor, content: bytes, kind: str) -> None:
    visitor.page.set_input_files(
        "#composer input[name=image]", [{"name": "IMG_1", "mimeType": f"image/{kind}", "buffer": content}]
    )
    expect(visitor.page.locator(".attachments li")).to_have_count(1)


def send(visitor: Visitor) -> None:
    visitor.page.click("#composer [type=submit]")


def uploads(visitor: Visitor) -> list[Request]:
    """The requests of this page that post a picture, from now on."""
    found: list[Request] = []
    visitor.page.on("request", lambda request: found.append(request) if request.url.endswith("/post/") else None)
    return found


def sent_bytes(request: Request) -> int:
    return int(request.header_value("content-length") or 0) or len(request.post_data_buffer or b"")


def recent(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.reads("/api/recent_messages/")["messages"]
    return found


# Lanes


def test_a_text_never_waits_behind_a_picture(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    held: list[Route] = []
    ming.page.route(POST, lambda route: route.continue_() if held else held.append(route))
    pick(ming, png("orchid"), png("teal"))
    send(ming)
    ming.until(lambda: held)
    ming.say("图还在路上")
    li.sees("图还在路上")
    expect(ming.page.locator("#messages article[data-state=pending]")).to_have_count(2)
    held[0].continue_()
    expect(ming.page.locator("#messages article[data-state=pending]")).to_have_count(0)


def test_a_line_that_goes_silent_costs_one_deadline_and_the_picture_arrives_once(come: Come) -> None:
    ming, li = come(), come("莉莉")
    ming.page.clock.install()
    ming.join("小明")
    silent: list[Route] = []
    ming.page.route(POST, lambda route: silent.append(route) if not silent else route.continue_())
    pick(ming, png("crimson"))
    ming.field.fill("断了的图")
    send(ming)
    ming.until(lambda: silent)
    ming.page.clock.run_for(15_000)
    assert ming.page.locator("#messages article[data-state=pending]").count() == 1
    ming.say("文字照样到")
    li.sees("文字照样到")
    ming.page.clock.run_for(50_000)
    ming.sees("断了的图")
    li.sees("断了的图")
    assert li.page.locator(li.article("断了的图")).count() == 1
    ming.complaints.clear()  # the request that was given up


# Albums


def test_pictures_chosen_together_are_one_album_and_one_message_to_the_limit(visit: Come) -> None:
    """In a room with its two seconds between two messages."""
    ming = visit("小明")
    requests = uploads(ming)
    pick(ming, *(png(colour) for colour in ("red", "green", "blue", "gold")))
    ming.field.fill("四张")
    send(ming)
    expect(ming.page.locator("#messages article[data-id] .picture")).to_have_count(4)
    messages = recent(Caller(ming.address, "莉莉"))[-4:]
    assert len({message["album"] for message in messages}) == 1 and messages[0]["album"]
    assert [message["text"] for message in messages] == ["四张", "", "", ""]
    assert len(requests) == 4, "none was refused and sent again"


def test_one_picture_is_no_album(come: Come, call: Call) -> None:
    ming = come("小明")
    pick(ming, png("pink"))
    ming.field.fill("只有一张")
    send(ming)
    ming.sees("只有一张")
    assert recent(call("莉莉"))[-1]["album"] is None


# Smaller before it is sent


def test_a_photograph_is_made_smaller_and_stays_upright_and_of_its_colours(come: Come, call: Call) -> None:
    """Its EXIF turns it, and its colour profile makes green of red: what is sent has neither any more."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    photo = samples.photo(4000, 3000)
    photo.paste("red", (0, 0, 2000, 1500))  # lies top left, and stands top right
    exif = Image.Exif()
    exif[0x0112] = 6
    content = jpeg(photo, quality=97, exif=exif, icc_profile=swapped)
    assert len(content) > 1_500_000

    ming = come("小明")
    requests = uploads(ming)
    choose(ming, content, "jpeg")
    ming.field.fill("一张照片")
    send(ming)
    ming.sees("一张照片")
    assert sent_bytes(requests[0]) < 500_000
    message = recent(call("莉莉"))[-1]
    assert message["width"] * 4 == pytest.approx(message["height"] * 3, rel=0.01)
    answer = ming.page.request.get(ming.address + message["image"])
    stored = Image.open(io.BytesIO(answer.body())).convert("RGB")
    red, green, blue = stored.getpixel((stored.width * 3 // 4, stored.height // 4))  # type: ignore[misc]
    assert green > 180 and red < 80 and blue < 80


def test_what_moves_and_what_is_small_is_sent_as_it_is(come: Come) -> None:
    frames = [samples.noise("RGB", 700, 500, seed) for seed in range(2)]
    moving = []
    for format in ("PNG", "WEBP"):
        file = io.BytesIO()
        frames[0].save(file, format, save_all=True, append_images=frames[1:], duration=80, loop=0, quality=100)
        moving.append((file.getvalue(), format.lower()))
    small = jpeg(samples.photo(900, 700), quality=95)
    ming = come("小明")
    requests = uploads(ming)
    for number, (content, kind) in enumerate([*moving, (small, "jpeg")]):
        choose(ming, content, kind)
        send(ming)
        ming.until(lambda number=number: len(requests) > number)  # type: ignore[misc]
        assert sent_bytes(requests[number]) > len(content)
        expect(ming.page.locator("#messages article[data-state=pending]")).to_have_count(0)
