"""What Chromium shows of a stored animation."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw

from tests.browser.caller import Caller
from tests.browser.conftest import Visitor

LIGHT, DARK = 240, 12

PIXELS = """async (address) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    return [40, canvas.width - 40].map(x => context.getImageData(x, 20, 1, 1).data[0]);
}"""


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_light_and_dark_greys_of_a_large_animation_stay(
    come: Callable[..., Visitor], call: Callable[[str], Caller], kind: str
) -> None:
    message = call("莉莉").says("动起来", image=animation(kind))
    assert str(message["image"]).endswith(".avif")
    light, dark = come("小明").page.evaluate(PIXELS, message["image"])
    assert abs(light - LIGHT) <= 4
    assert abs(dark - DARK) <= 4


def animation(kind: str) -> bytes:
    frames = []
    for index in range(8):
        frame = Image.new("RGB", (900, 600), (LIGHT, LIGHT, LIGHT))
        draw = ImageDraw.Draw(frame)
        draw.rectangle((450, 0, 900, 600), fill=(DARK, DARK, DARK))
        draw.ellipse((100 + 80 * index, 300, 180 + 80 * index, 380), fill="teal")
        frames.append(frame)
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=80, loop=0)
    return file.getvalue()
