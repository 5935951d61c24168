"""Pictures for the documentation: WebP files of screenshots, stored in the directory CHAT_SCREENSHOTS."""

from __future__ import annotations

import io
import os

from PIL import Image

from tests.docs.pages import ROOT

BYTES_MAX = 150 * 1024


def keep(name: str, screenshot: bytes, size: tuple[int, int] | None = None) -> None:
    """Write the screenshot as `name`.webp, or drop it if CHAT_SCREENSHOTS is not set. `size`: the size that it must
    have."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    assert size is None or picture.size == size
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=82, method=6)
    assert len(file.getvalue()) < BYTES_MAX
    folder = os.environ.get("CHAT_SCREENSHOTS", "")
    if folder:
        (ROOT / folder).mkdir(exist_ok=True)
        (ROOT / folder / f"{name}.webp").write_bytes(file.getvalue())
