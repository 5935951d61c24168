"""Encodes a photo of twelve megapixels within a limit of bytes, by the server's code or by the first version's code.

python -m tests.bench.floors.photo PHOTO_FILE LIMIT_BYTES OUTPUT_DIRECTORY

Runs in one process. Reads `ours` or `seed` (the first version), answers with the seconds that it took, and leaves the
result in the directory.
"""

from __future__ import annotations

import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from chatserver.media import images

# At this quality the first version stopped, even if the result was too large.
SEED_LEAST_QUALITY = 20


def ours(path: Path, limit: int) -> bytes:
    """Encode the photo and its thumbnail, as the server does."""
    return images.picture(path, limit).image


def seed(path: Path, limit: int) -> bytes:
    """Decode the whole photo, then encode it as JPEG at quality 85, 80, 75 … until it fits."""
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
