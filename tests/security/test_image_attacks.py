"""Hostile pictures are refused by their content or encoded again. No uploaded byte is ever served."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.client import House, files_under, picture
from tests.media.samples import gif_claiming, jpeg_claiming, png_claiming, webp_claiming

PAYLOAD = b"<script>alert(document.domain)</script>"


def with_comment(kind: str) -> bytes:
    """The payload in the places where formats store texts: EXIF, a comment, a text chunk."""
    out, image = io.BytesIO(), Image.new("RGB", (64, 64), "teal")
    exif = Image.Exif()
    exif[0x010E] = exif[0x9286] = PAYLOAD.decode()
    if kind == "PNG":
        words = PngImagePlugin.PngInfo()
        words.add_text("Comment", PAYLOAD.decode())
        image.save(out, kind, pnginfo=words, exif=exif)
    else:
        image.save(out, kind, comment=PAYLOAD, exif=exif) if kind == "JPEG" else image.save(out, kind, comment=PAYLOAD)
    return out.getvalue()


POLYGLOTS = {
    "PNG and page": picture(kind="PNG") + PAYLOAD,
    "JPEG and page": picture(kind="JPEG") + PAYLOAD,
    "GIF and page": picture(kind="GIF") + PAYLOAD,
    "WebP and page": picture(kind="WEBP") + PAYLOAD,
    "PNG and archive": picture(kind="PNG") + b"PK\x03\x04" + PAYLOAD + b"PK\x05\x06" + bytes(18),
    "PNG with words": with_comment("PNG"),
    "JPEG with words": with_comment("JPEG"),
    "GIF with words": with_comment("GIF"),
}
REFUSED = {
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image_unsupported"),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;', "image_unsupported"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", "image_unsupported"),
    "PDF": (b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj", "image_unsupported"),
    "page": (b"<!doctype html>" + PAYLOAD, "image_unsupported"),
    "script that begins like a GIF": (b"GIF89a=1;alert(1)//", "image_unreadable"),
    "empty but for its name": (b"\x89PNG\r\n\x1a\n", "image_unreadable"),
    "truncated": (picture(300, 300, "JPEG")[:400], "image_unreadable"),
    "bomb, PNG": (png_claiming(60_000, 60_000), "image_too_large"),
    "bomb, WebP": (webp_claiming(16_000, 16_000), "image_too_large"),
    "bomb, JPEG": (jpeg_claiming(60_000, 60_000), "image_too_large"),
    "bomb, GIF of frames": (gif_claiming(5_000, 5_000, 3), "image_too_large"),
    "JPEG 2000": (picture(kind="JPEG2000"), "image_unsupported"),
    "ICO": (picture(kind="ICO"), "image_unsupported"),
}  # fmt: skip


@pytest.mark.parametrize("sent", POLYGLOTS.values(), ids=POLYGLOTS.keys())
async def test_of_a_file_that_is_two_things_only_the_pixels_are_kept(house: House, sent: bytes) -> None:
    member = await house.member("小明")
    message = await member.show(sent)
    for address in (message["image"], message["thumb"]):
        served = await member.get(address)
        assert served.status == 200 and served.headers["Content-Type"] == "image/webp"
        assert Image.open(io.BytesIO(served.body)).format == "WEBP"
        assert PAYLOAD not in served.body and b"PK" not in served.body
    assert (await member.post("/profile/", {}, {"avatar": sent})).status == 200
    assert not [name for name, data in files_under(house.data_dir).items() if b"<script>" in data]


@pytest.mark.parametrize(("sent", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_picture_is_refused_by_its_code_and_leaves_nothing(
    house: House, sent: bytes, code: str
) -> None:
    admin = await house.administrator()
    before = set(files_under(house.data_dir / "media"))
    for path, field in (("/post/", "image"), ("/profile/", "avatar"), ("/upload_global_background", "image")):
        answer = await admin.post(path, {}, {field: sent})
        assert answer.code == code, path
    assert set(files_under(house.data_dir / "media")) == before
    assert (await admin.show(picture()))["kind"] == "image", "and the next one is made"


async def test_a_picture_may_do_nothing_in_a_browser_and_has_a_name_nobody_guesses(house: House) -> None:
    member = await house.member("小明")
    message = await member.show(picture())
    answer = await member.get(message["image"])
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    key = Path(message["image"]).name.partition(".")[0]
    assert len(key) >= 24, "18 random bytes"
    for wrong in ("..%2f..%2fchat.db", "%2e%2e/chat.db", "x.webp/../../chat.db", f"{key}.webp%00.png", ".", "%00"):
        assert (await member.get(f"/media/images/{wrong}")).status in (400, 404), wrong
    await member.recall(message["id"])
    assert (await member.get(message["image"])).status == (await member.get(message["thumb"])).status == 410


async def test_every_worker_is_behind_its_filter(house: House) -> None:
    """`Seccomp: 2` means that a filter is active; `NoNewPrivs: 1` means that no program with more rights can remove
    it."""
    await (await house.member("小明")).show(picture())
    if house.server.room.workers._has_warned:
        pytest.skip("this machine has no seccomp filters")
    statuses = workers_statuses()
    assert statuses
    for status in statuses:
        assert "\nSeccomp:\t2\n" in status and "\nNoNewPrivs:\t1\n" in status


def workers_statuses() -> list[str]:
    tasks = Path("/proc/self/task").iterdir()
    children = [Path("/proc") / pid for task in tasks for pid in (task / "children").read_text().split()]
    workers = [child for child in children if b"chatserver.media.worker" in (child / "cmdline").read_bytes()]
    return [(worker / "status").read_text() for worker in workers]
