"""The media directory: complete files, new names, and no path outside the directory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.files import MediaFiles
from chatserver.media.protocol import Rendered

PICTURE = Rendered(b"picture", b"thumbnail", 640, 480)
KEY = "A" * 24


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "media"


@pytest.fixture
def files(root: Path) -> MediaFiles:
    return MediaFiles(root)


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


async def test_a_stored_picture_is_two_files_under_one_key(files: MediaFiles, root: Path) -> None:
    stored = await files.store_picture(PICTURE)
    assert everything(root) == {stored.image, stored.thumb}
    assert stored.thumb == stored.image.replace(".webp", ".thumb.webp")
    assert (root / stored.image).read_bytes() == b"picture"
    assert (root / stored.thumb).read_bytes() == b"thumbnail"
    assert (stored.width, stored.height) == (640, 480)


async def test_names_are_long_and_never_the_same(files: MediaFiles) -> None:
    names = {(await files.store_picture(PICTURE, "presets")).image for _ in range(20)}
    assert len(names) == 20
    assert all(len(Path(name).stem) >= 22 for name in names)


@pytest.mark.parametrize("folder", ["images", "announcements", "presets"])
async def test_every_stored_name_leads_back_to_its_file(files: MediaFiles, root: Path, folder: str) -> None:
    stored = await files.store_picture(PICTURE, folder)
    avatar = await files.store_avatar(b"face")
    assert stored.image.startswith(f"{folder}/")
    for name in (stored.image, stored.thumb, avatar):
        assert files.path(name) == root / name


async def test_an_unknown_folder_is_a_mistake_of_ours(files: MediaFiles) -> None:
    with pytest.raises(ValueError):
        await files.store_picture(PICTURE, "../elsewhere")


async def test_only_the_owner_may_look(files: MediaFiles, root: Path) -> None:
    stored = await files.store_picture(PICTURE)
    modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (root, root / "images", root / stored.image)]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "images", "images/", f"images/{KEY}", f"images/{KEY}.jpg", f"images/{KEY}.webp\n",
        f"/images/{KEY}.webp", f"images/../{KEY}.webp", f"images//{KEY}.webp", f"images/.{KEY}.webp.part",
        f"images/{KEY}.webp/..", f"images/{KEY}\0.webp", f"uploads/{KEY}.webp", f"secrets/{KEY}.webp",
        f"images/{KEY}.thumb.thumb.webp", "images/short.webp", f"images\\{KEY}.webp", f"images/%2e%2e{KEY}.webp",
        "../chat.db", "images/" + "A" * 5000 + ".webp", f"images/{'À' * 24}.webp",
    ],
)  # fmt: skip
def test_no_other_name_leads_anywhere(files: MediaFiles, name: str) -> None:
    assert files.path(name) is None


async def test_a_copy_outlives_its_original(files: MediaFiles, root: Path) -> None:
    preset = await files.store_picture(PICTURE, "presets")
    copy = await files.copy(preset)
    await files.erase([preset.image, preset.thumb])
    assert copy.image.startswith("images/")
    assert everything(root) == {copy.image, copy.thumb}
    assert (root / copy.image).read_bytes() == b"picture"
    with pytest.raises(DomainError, match="not_found"):
        await files.copy(preset)


async def test_erasing_twice_is_fine_and_touches_nothing_else(files: MediaFiles, root: Path) -> None:
    kept, erased = await files.store_picture(PICTURE), await files.store_picture(PICTURE)
    outside = root.parent / "chat.db"
    outside.write_bytes(b"everything")
    for _ in range(2):
        await files.erase([erased.image, erased.thumb, "", "../chat.db", str(outside), "images/../../chat.db"])
    assert everything(root) == {kept.image, kept.thumb}
    assert outside.exists()


async def test_a_sweep_leaves_what_rows_name_and_nothing_else(files: MediaFiles, root: Path) -> None:
    kept, orphan = await files.store_picture(PICTURE), await files.store_picture(PICTURE, "announcements")
    face = await files.store_avatar(b"face")
    (root / "images" / f".{KEY}.webp.part").write_bytes(b"half")
    files.new_upload_path().write_bytes(b"half an upload")
    assert await files.sweep({kept.image, kept.thumb, face}) == 4
    assert everything(root) == {kept.image, kept.thumb, face}
    assert files.path(orphan.image) is not None, "the name is still a name"


async def test_a_sweep_of_an_open_room_spares_what_is_new(files: MediaFiles, root: Path) -> None:
    old, new = await files.store_avatar(b"old"), await files.store_avatar(b"new")
    os.utime(root / old, (1, 1))
    assert await files.sweep(set(), older_than=60) == 1
    assert everything(root) == {new}


async def test_a_sweep_of_a_room_without_media_finds_nothing(files: MediaFiles) -> None:
    assert await files.sweep(set()) == 0


def test_an_upload_gets_a_new_place_each_time(files: MediaFiles, root: Path) -> None:
    first, second = files.new_upload_path(), files.new_upload_path()
    assert first != second
    assert first.parent == root / "uploads" and first.parent.is_dir() and not first.exists()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("failing", ["fsync", "rename"])
async def test_a_disk_that_fails_refuses_and_keeps_neither_file(
    files: MediaFiles, root: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: int
) -> None:
    calls = 0
    real = getattr(os, failing)

    def fail_on_the_second(*args: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(error, os.strerror(error))
        return real(*args)

    monkeypatch.setattr(os, failing, fail_on_the_second)
    with pytest.raises(DomainError) as refused:
        await files.store_picture(PICTURE)
    assert refused.value.code is ErrorCode.STORAGE_FULL
    assert everything(root) == set()


async def test_a_file_is_on_disk_before_its_name_is_given_out(
    files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("fsync", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, real=real, name=name: (steps.append(name), real(*a))[1])
    await files.store_avatar(b"face")
    assert steps == ["fsync", "rename", "fsync"], "the file, its name, the directory that holds the name"
