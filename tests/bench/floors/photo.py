"""A photo of twelve megapixels to a ceiling, by the server's code and by the seed's way, in one process.

    python -m tests.bench.floors.photo PHOTO_FILE LIMIT_BYTES OUTPUT_DIRECTORY

Hears `ours` or `seed`, answers with the seconds it took and leaves the result in the directory.
"""

from __future__ import annotations

import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from chatserver.media import images

# Where the seed gave up, whatever the size was by then.
SEED_LEAST_QUALITY = 20


def ours(path: Path, limit: int) -> bytes:
    """With its thumbnail, as the server does it."""
    return images.picture(path, limit).image


def seed(path: Path, limit: int) -> bytes:
    """Decode all of it, then JPEG at quality 85, 80, 75 … until it fits."""
    with Image.open(path) as image:
        pixels = image.convert("RGB")
    for quality in range(85, SEED_LEAST_QUALITY - 1, -5):
        out = BytesIO()
        pixels.save(out, "JPEG", quality=quality)
        if len(out.getvalue()) <= limit:
            break
    return out.getvalue()


def main(path: Path, limit: int, output: Path) -> None:
    ways = {"ours": ours, "seed": seed}
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        started = time.perf_counter()
        data = ways[name](path, limit)
        elapsed = time.perf_counter() - started
        (output / name).write_bytes(data)
        print(elapsed, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
