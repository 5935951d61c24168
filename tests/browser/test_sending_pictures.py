"""Sending pictures: made smaller, together as an album, never delaying a text, and sent again after a failure."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Request, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import PHONE, Visitor
from tests.browser.pictures import pick, png
from tests.media import samples

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
POST = "**/post/"
# A busy machine may take longer than half a minute for the steps of a test.
SETTINGS = {"recall_seconds": "600"}


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
    """The requests of this page that post a picture, after this call."""
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
    ming.complaints.clear()  # clear the error of the cancelled request


# Albums


def test_pictures_chosen_together_are_one_album_and_one_message_to_the_limit(visit: Come) -> None:
    """A room with an interval of two seconds between two messages."""
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


def boxes(visitor: Visitor, album: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The positions of the pictures of these messages, in their order."""
    found = [
        visitor.page.locator(f'#messages article[data-id="{message["id"]}"] .picture').bounding_box()
        for message in album
    ]
    return [{**box} for box in found if box]


def sent_together(call: Call, name: str, count: int, *, text: str = "", between: str = "") -> list[dict[str, Any]]:
    """Send an album as a member without a browser; another member sends `between` after the first picture."""
    caller, messages = call(name), []
    for number in range(count):
        fields = {"album": f"{name} {count} {text}", "text": "" if number else text}
        messages.append(caller.send("/post/", fields, png("teal")))
        if between and number == 0:
            call("阿强").says(between)
    return messages


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_an_album_is_a_grid_of_squares(come: Come, call: Call, options: dict[str, Any]) -> None:
    album = sent_together(call, "莉莉", 5, text="五张" + str(len(options)))
    ming = come("小明", **options)
    ming.sees("五张" + str(len(options)))
    first, second, third, fourth, fifth = boxes(ming, album)
    assert first["y"] == second["y"] == third["y"] < fourth["y"] == fifth["y"]
    assert first["x"] == fourth["x"] < second["x"] == fifth["x"] < third["x"]
    assert all(box["width"] == box["height"] == first["width"] for box in (first, second, third, fourth, fifth))
    assert third["x"] + third["width"] <= (ming.page.viewport_size or {})["width"]
    ids = ming.page.locator("#messages article.message--album").evaluate_all("all => all.map(a => a.dataset.id)")
    assert ids[-5:] == [str(message["id"]) for message in album], "each is a message of its own"


def test_what_was_said_while_an_album_was_sent_does_not_part_it(come: Come, call: Call) -> None:
    album = sent_together(call, "莉莉", 3, text="三张图", between="插一句")
    ming = come("小明")
    ming.sees("插一句")
    first, *others = boxes(ming, album)
    assert [box["y"] for box in others] == [first["y"]] * 2
    said = ming.message("插一句").bounding_box()
    assert said and said["y"] > first["y"]


def test_the_pictures_of_an_album_are_recalled_one_by_one_or_all(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    pick(ming, *(png(colour) for colour in ("red", "green", "blue", "gold")))
    ming.field.fill("撤回试试")
    send(ming)
    li.sees("撤回试试")
    cells = ming.page.locator("#messages article.message--mine.message--album[data-id]")
    expect(ming.page.locator("#messages article[data-state=pending]")).to_have_count(0)
    ids = cells.evaluate_all("all => all.map(a => a.dataset.id)")[-4:]

    def state(number: int) -> Any:
        return li.page.locator(f'#messages article[data-id="{ids[number]}"]')

    def choose_in_menu(number: int, action: str) -> None:
        article = ming.page.locator(f'#messages article[data-id="{ids[number]}"]')
        article.locator(".picture").hover()
        article.locator("[data-action=menu]").click()
        ming.page.click(f"[data-action={action}]:visible")

    choose_in_menu(3, "recall")
    expect(state(3)).to_have_attribute("data-state", "recalled")
    expect(state(2)).to_have_attribute("data-state", "live")
    choose_in_menu(0, "recall-album")
    for number in range(3):
        expect(state(number)).to_have_attribute("data-state", "recalled")
    expect(li.page.locator(li.article("撤回试试"))).to_have_count(0)


def test_one_picture_is_no_album(come: Come, call: Call) -> None:
    ming = come("小明")
    pick(ming, png("pink"))
    ming.field.fill("只有一张")
    send(ming)
    ming.sees("只有一张")
    assert recent(call("莉莉"))[-1]["album"] is None


# Long pictures


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_long_picture_shows_its_top_and_scrolls_in_the_lightbox(
    come: Come, call: Call, options: dict[str, Any]
) -> None:
    words = "一张长图" + str(len(options))
    call("莉莉").says(words, image=png("slateblue", (540, 6000)))
    ming = come("小明", **options)
    picture = ming.message(words).locator(".picture")
    box = picture.bounding_box()
    assert box and box["height"] <= 2.1 * box["width"] and box["width"] > 100
    expect(picture).to_contain_text("长图")
    picture.click()
    stage = ming.page.locator("#lightbox .lightbox-stage")
    ming.page.wait_for_function("() => document.querySelector('#lightbox img').naturalHeight > 3000")
    wide = ming.page.locator("#lightbox img").bounding_box()
    viewport = ming.page.viewport_size
    assert wide and viewport and wide["width"] == min(540, viewport["width"])
    height, shown = stage.evaluate("stage => [stage.scrollHeight, stage.clientHeight]")
    assert height > 4 * shown
    ming.page.keyboard.press("ArrowDown")
    ming.page.wait_for_function("() => document.querySelector('#lightbox .lightbox-stage').scrollTop > 0")


def test_an_animation_stands_still_where_less_motion_is_asked_for(come: Come, call: Call) -> None:
    file = io.BytesIO()
    frames = samples.film_frames(12, 320, 240)
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=80, loop=0, quality=80)
    call("莉莉").says("动图", image=file.getvalue())
    moving = come("小明").message("动图").locator(".picture img")
    still = come("小红", reduced_motion="reduce").message("动图").locator(".picture img")
    expect(still).to_have_attribute("src", re.compile("^data:image/png"))
    assert still.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [320, 240]
    expect(moving).to_have_attribute("src", re.compile("^/media/"))


# Made smaller before it is sent


def test_a_photograph_is_made_smaller_and_stays_upright_and_of_its_colours(come: Come, call: Call) -> None:
    """EXIF rotates the picture, and its colour profile turns green into red. The sent picture has neither any more."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    photo = samples.photo(4000, 3000)
    photo.paste("red", (0, 0, 2000, 1500))  # stored top left, shown top right
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


# A proxy in front of the room


def test_a_proxy_that_takes_no_file_of_this_size_is_told_in_words(come: Come) -> None:
    """nginx's error page for a body above client_max_body_size, which is not JSON."""
    ming = come("小明", locale="en-US")
    page = "<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"
    ming.page.route(POST, lambda route: route.fulfill(status=413, content_type="text/html", body=page))
    pick(ming, png("navy"))
    send(ming)
    failed = ming.page.locator("#messages article[data-state=failed]")
    expect(failed).to_contain_text("Too large for the proxy in front of the room")
    ming.complaints.clear()  # clear the browser's own line about the 413
