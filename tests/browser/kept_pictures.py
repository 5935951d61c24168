"""Pictures for the documentation: WebP files of browser screenshots, kept where CHAT_SCREENSHOTS says."""

from __future__ import annotations

import io
import os

from PIL import Image

from tests.docs.pages import ROOT

BYTES_MAX = 150 * 1024


def keep(name: str, screenshot: bytes, size: tuple[int, int] | None = None) -> None:
    """Write it as `name`.webp, or throw it away where CHAT_SCREENSHOTS is not set. `size`: what it has to be."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    assert size is None or picture.size == size
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=82, method=6)
    assert len(file.getvalue()) < BYTES_MAX
    folder = os.environ.get("CHAT_SCREENSHOTS", "")
    if folder:
        (ROOT / folder).mkdir(exist_ok=True)
        (ROOT / folder / f"{name}.webp").write_bytes(file.getvalue())
