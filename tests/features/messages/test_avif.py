"""A stored AVIF for clients that read AVIF and for others: one address, and no copy left after a recall."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from chatserver.media.files import MediaFiles
from chatserver.media.protocol import Rendered
from tests.client import House
from tests.media import samples
from tests.support import eventually

READS_AVIF = {"Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}
# Safari of iOS 15, an API client, a client that refuses AVIF.
READS_NO_AVIF = [
    "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
    "*/*",
    "image/avif;q=0, */*",
]


@pytest.fixture(scope="module")
def photo() -> bytes:
    out = io.BytesIO()
    samples.photo(1200, 900).save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "file"
    return samples.save_animation(samples.film_frames(40, 320, 240), path, "WEBP", quality=80).read_bytes()


def files_of(house: House) -> list[str]:
    return everything(house.data_dir / "media")


def everything(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


async def test_who_names_avif_gets_it_and_a_cache_keeps_both_apart(house: House, photo: bytes) -> None:
    message = await (await house.member("小明")).show(photo)
    assert message["image"].endswith(".avif") and message["thumb"].endswith(".thumb.webp")
    answer = await (await house.guest()).get(message["image"], READS_AVIF)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/avif")
    assert answer.headers["Vary"] == "Accept"
    assert Image.open(io.BytesIO(answer.body)).size == (1200, 900)
    assert len(files_of(house)) == 2, "no copy is made before one is asked for"


@pytest.mark.parametrize("accept", READS_NO_AVIF)
async def test_who_does_not_gets_a_webp_of_the_same_picture(house: House, photo: bytes, accept: str) -> None:
    message = await (await house.member("小明")).show(photo)
    answer = await (await house.guest()).get(message["image"], {"Accept": accept})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    assert answer.headers["Content-Disposition"].endswith('.webp"'), "the name for a picture that is saved"
    assert answer.headers["Vary"] == "Accept"
    assert len(answer.body) <= 200 * samples.KIB
    with Image.open(io.BytesIO(answer.body)) as image:
        assert (image.format, image.size) == ("WEBP", (1200, 900))


async def test_many_that_ask_at_once_have_one_copy_made(house: House, photo: bytes) -> None:
    browser = await house.member("小明")
    message = await browser.show(photo)
    done = house.server.room.workers.outcomes["done"]
    answers = await asyncio.gather(*(browser.get(message["image"], {"Accept": "*/*"}) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert house.server.room.workers.outcomes["done"] == done + 1


async def test_a_small_film_moves_in_the_list_of_both(house: House, film: bytes) -> None:
    browser = await house.member("小明")
    message = await browser.show(film)
    assert message["thumb"].endswith(".thumb.avif")
    for name in ("image", "thumb"):
        for accept, kind in ((READS_AVIF, "AVIF"), ({"Accept": "*/*"}, "WEBP")):
            answer = await browser.get(message[name], accept)
            with Image.open(io.BytesIO(answer.body)) as image:
                assert (image.format, getattr(image, "n_frames", 1) > 1) == (kind, True)


@pytest.mark.parametrize("act", ["recall_message", "delete_message"])
async def test_a_copy_is_erased_with_its_picture(house: House, film: bytes, act: str) -> None:
    browser = await house.member("小明")
    message = await browser.show(film)
    await browser.get(message["image"], {"Accept": "*/*"})
    assert len(files_of(house)) == 4
    await browser.post(f"/{act}/{message['id']}/")
    for accept in (READS_AVIF, {"Accept": "*/*"}):
        assert (await browser.get(message["image"], accept)).status == 410
    await eventually(lambda: not files_of(house))


@pytest.mark.settings(history_limit=1)
async def test_a_copy_of_an_expired_picture_is_erased_too(house: House, film: bytes) -> None:
    browser = await house.member("小明")
    message = await browser.show(film)
    await browser.get(message["thumb"], {"Accept": "*/*"})
    await browser.say("next")
    await eventually(lambda: not files_of(house))


async def test_a_copy_that_is_made_while_its_picture_is_erased_does_not_stay(tmp_path: Path) -> None:
    files = MediaFiles(tmp_path / "media")
    avif = samples.FILES.joinpath("still.avif").read_bytes()
    stored = await files.store_picture(Rendered(avif, avif, 60, 40))
    await files.erase([stored.image, stored.thumb])
    await files.store_copies(stored.image, Rendered(b"copy", b"copy", 60, 40))
    assert everything(tmp_path) == []


async def test_a_copy_does_not_outlive_a_restart(tmp_path: Path) -> None:
    """The copy is made again at the next request."""
    files = MediaFiles(tmp_path / "media")
    avif = samples.FILES.joinpath("still.avif").read_bytes()
    stored = await files.store_picture(Rendered(avif, avif, 60, 40))
    await files.store_copies(stored.image, Rendered(b"copy", b"copy", 60, 40))
    assert await files.sweep({stored.image, stored.thumb}) == 2


async def test_an_avif_that_is_missing_is_not_found(house: House) -> None:
    for accept in (READS_AVIF, {"Accept": "*/*"}):
        answer = await (await house.guest()).get("/media/presets/aaaaaaaaaaaaaaaaaaaaaaaa.avif", accept)
        assert (answer.status, answer.code) == (404, "not_found")
