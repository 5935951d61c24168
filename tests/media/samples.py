"""Real files of every format, made by the tests. Seeded, so the bytes are the same on every run."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw

KIB = 1024
# Files that other programs made: see the README in that directory.
FILES = Path(__file__).parent / "files"

# 64 × 48 px, made with libheif: red on the left, blue on the right, a green square at the top left.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAIwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAJRtZGF0AAAAiCgBrwngITk0HkJfv//ZxH//g5lvX/0g63fATTf+"
    "V0G+f/dNEB5M99/qnWr+aE//6nUHP7WPW/8um/0gHJPrQtsPQ6mbxHb+qaesJGthl+NBO1QiQ8Ysr4Iqjzu3iuQYTV2PcLzOa+iA"
    "YB4o9IbHvOI4kPfne6ND+M2tp9+E/i/wOMstk+5R3Ag="
)


def photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """A picture like a photograph: soft shapes at every scale, edges, and the noise of a sensor."""
    chance = random.Random(seed)
    bands = [_clouds(width, height, chance) for _ in range(3)]
    image = Image.merge("RGB", bands)
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randrange(8, max(9, width // 6))
        colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
        draw.ellipse((x, y, x + size, y + size * 2 // 3), outline=colour, width=max(1, size // 20))
    grain = Image.frombytes("L", (256, 256), bytes(chance.choices(range(122, 135), k=256 * 256)))
    grain = grain.resize((width, height), Image.Resampling.BICUBIC)
    return ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), 1, -128)


def _clouds(width: int, height: int, chance: random.Random) -> Image.Image:
    """One band of noise. Finer noise is fainter, as in nature."""
    clouds = Image.new("L", (width, height), 128)
    cells, strength = 3, 0.5
    while cells < max(width, height) // 2 and strength > 0.01:
        rows = max(2, cells * height // width)
        layer = Image.frombytes("L", (cells, rows), chance.randbytes(cells * rows))
        clouds = Image.blend(clouds, layer.resize((width, height), Image.Resampling.BICUBIC), strength)
        cells, strength = cells * 2, strength * 0.6
    return clouds


def noise(mode: str, width: int, height: int, seed: int = 1) -> Image.Image:
    """Noise, which no encoder can compress."""
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * len(mode)))


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose orientation can be recognised: red top left, green top right, blue bottom left, white bottom
    right."""
    image = Image.new("RGB", (width, height), "white")
    for colour, (column, row) in {"red": (0, 0), "lime": (1, 0), "blue": (0, 1)}.items():
        left, top = column * width // 2, row * height // 2
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def sticker_frames(count: int = 8, side: int = 120) -> list[Image.Image]:
    """Frames of a ball that rolls: RGBA, transparent around it."""
    frames = []
    for index in range(count):
        frame = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        left = index * (side - 40) // count
        ImageDraw.Draw(frame).ellipse((left, 40, left + 40, 80), fill=(250, 190, 30, 255))
        frames.append(frame)
    return frames


def film_frames(count: int, width: int, height: int) -> list[Image.Image]:
    """Frames of a camera that pans over a photo, so that every pixel changes."""
    scene = photo(width + 4 * count, height + count)
    return [scene.crop((4 * i, i, 4 * i + width, i + height)) for i in range(count)]


# What takes the least processor time; no test is about how small a file is.
_FAST: dict[str, dict[str, Any]] = {"PNG": {"compress_level": 1}, "AVIF": {"speed": 10}}
_FAST_ANIMATION: dict[str, dict[str, Any]] = {**_FAST, "WEBP": {"method": 0}}


def save(image: Image.Image, path: Path, format: str, **options: Any) -> Path:
    image.save(path, format, **{**_FAST.get(format, {}), **options})
    return path


def save_animation(frames: Sequence[Image.Image], path: Path, format: str, **options: Any) -> Path:
    path.write_bytes(animation(frames, format, **options))
    return path


def animation(frames: Sequence[Image.Image], format: str, **options: Any) -> bytes:
    out = BytesIO()
    options = {"duration": 80, "loop": 0, **_FAST_ANIMATION.get(format, {}), **options}
    frames[0].save(out, format, save_all=True, append_images=list(frames[1:]), **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def durations(data: bytes) -> list[int]:
    """The duration of each frame of an animation in ms."""
    image = Image.open(BytesIO(data))
    shown = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        shown.append(image.info["duration"])
    return shown


def grey_or_rgb_png(depth: int, pixels: Sequence[Sequence[int]], transparent: Sequence[int]) -> bytes:
    """A PNG of 20 rows with a transparent colour (tRNS). `pixels` are the values of one row, with one channel (grey) or
    three."""
    bits = "".join(f"{value:0{depth}b}" for pixel in pixels for value in pixel)
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = struct.pack("!IIBBBBB", len(pixels), 20, depth, 0 if len(transparent) == 1 else 2, 0, 0, 0)
    colour = struct.pack(f"!{len(transparent)}H", *transparent)
    return png(header, (b"tRNS", colour), (b"IDAT", zlib.compress((b"\0" + row) * 20)))


def png(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        data += png_chunk(name, content)
    return data


def png_chunk(name: bytes, content: bytes, *, checksum_is_wrong: bool = False) -> bytes:
    checksum = zlib.crc32(name + content) ^ checksum_is_wrong
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header declares `width` × `height`."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png(header, (b"IDAT", zlib.compress(b"\0" * 100_000)))


def apng_claiming(width: int, height: int, frames: int) -> bytes:
    """An APNG of `frames` frames of a few bytes, each of the whole canvas."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    control = struct.pack(">IIIIHHBB", width, height, 0, 0, 80, 1000, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    chunks = [(b"acTL", struct.pack(">II", frames, 0)), (b"fcTL", bytes(4) + control), (b"IDAT", pixels)]
    for number in range(1, 2 * frames - 1, 2):
        chunks += [(b"fcTL", struct.pack(">I", number) + control), (b"fdAT", struct.pack(">I", number + 1) + pixels)]
    return png(header, *chunks)


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP with only a header (VP8X) that declares this canvas."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_animation_claiming(width: int, height: int, frames: int) -> bytes:
    """A WebP of `frames` frames of one pixel on a canvas of that size."""
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "WEBP", lossless=True)
    pixel = out.getvalue()[12:]
    frame = bytes(12) + (80).to_bytes(3, "little") + b"\0" + pixel
    chunk = b"ANMF" + struct.pack("<I", len(frame)) + frame
    header = webp_claiming(width, height)[12:]
    animated = header[:8] + b"\2" + header[9:]  # the flag of an animation
    body = b"WEBP" + animated + b"ANIM" + struct.pack("<I", 6) + bytes(6) + chunk * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def noise_png(width: int, height: int) -> bytes:
    """`noise` as a PNG that is not compressed."""
    pixels = random.Random(1).randbytes(3 * width * height)
    rows = b"".join(b"\0" + pixels[at : at + 3 * width] for at in range(0, len(pixels), 3 * width))
    return png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), (b"IDAT", zlib.compress(rows, 0)))


def jpeg_claiming(width: int, height: int) -> bytes:
    """A real JPEG whose frame header declares another size."""
    out = BytesIO()
    photo(64, 64).save(out, "JPEG")
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_claiming(width: int, height: int, frames: int) -> bytes:
    """A GIF of `frames` tiny frames on a canvas of a wrong size."""
    frame = b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0" + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0" * 6 + frame * frames + b"\x3b"
