"""Pictures to send, and the ways to add them: pick, paste, drop."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def png(colour: str = "seagreen", size: tuple[int, int] = (640, 480)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def noise(size: tuple[int, int] = (1600, 1200)) -> bytes:
    """A picture that cannot be compressed, so that some megabytes are sent."""
    file = io.BytesIO()
    Image.effect_noise(size, 100).save(file, "PNG")
    return file.getvalue()


def pick(visitor: Visitor, *pictures: bytes) -> None:
    files: list[Any] = [
        {"name": f"IMG_{i}.PNG", "mimeType": "image/png", "buffer": each} for i, each in enumerate(pictures)
    ]
    before = visitor.page.locator(".attachments li").count()
    visitor.page.set_input_files("#composer input[name=image]", files)
    expect(visitor.page.locator(".attachments li")).to_have_count(before + len(files))


def paste(visitor: Visitor) -> None:
    visitor.field.focus()
    visitor.page.evaluate(_HAND_OVER, "paste")


def drop(visitor: Visitor, selector: str = "#messages") -> None:
    visitor.page.evaluate(_HAND_OVER, selector)


_HAND_OVER = """async how => {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 480;
    canvas.getContext('2d').fillRect(0, 0, 320, 240);
    const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
    const data = new DataTransfer();
    data.items.add(new File([blob], 'image.png', {type: 'image/png'}));
    const more = {bubbles: true, cancelable: true};
    if (how === 'paste') {
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, ...more}));
        return;
    }
    const target = document.querySelector(how);
    target.dispatchEvent(new DragEvent('dragover', {dataTransfer: data, ...more}));
    target.dispatchEvent(new DragEvent('drop', {dataTransfer: data, ...more}));
}"""
