"""The watch for blocking calls finds them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from blockbuster import BlockingError

from chatserver.media.files import MediaFiles
from tests import blocking


async def test_what_the_product_does_on_the_loop_is_seen_and_kept_in_mind(
    tmp_path: Path, watched_loop: blocking.Found
) -> None:
    """The call is in a callback of the loop. Its error is only logged, as it would be in many tasks."""
    noted: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noted.append(context["exception"]))
    asyncio.get_running_loop().call_soon(MediaFiles(tmp_path / "media").new_upload_path)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [type(error).__mro__[1] for error in noted] == [BlockingError]
    [call] = watched_loop.taken()
    assert call.startswith("os.") and "files.py" in call


async def test_threads_and_the_tests_themselves_may_block(tmp_path: Path, watched_loop: blocking.Found) -> None:
    media = MediaFiles(tmp_path / "media")
    await asyncio.to_thread(media.new_upload_path)
    media.new_upload_path().write_bytes(b"from the test's own line")
    assert watched_loop.taken() == []
