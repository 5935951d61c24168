#!/usr/bin/env bash
# Pillow 13.0.0 (libwebp 1.6.0, libavif 1.4.2).
#
# A GIF whose frames last 40, 80, 120 and 500 ms is saved with save_all=True and without `duration`. As GIF and as PNG
# each frame keeps its own time. As WebP all frames get that of the frame which is current when save() is called, and as
# AVIF each gets 1 ms: the animation is over in 4 ms. No warning is given. With a list as `duration` all four are right.
#
# Seen: GIF [40, 80, 120, 500], PNG [40, 80, 120, 500], WEBP [40, 40, 40, 40], AVIF [1, 1, 1, 1]; with a list
# [40, 80, 120, 500] for each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0
cat > "$folder/try.py" <<'PYTHON'
from io import BytesIO

from PIL import Image

TIMES = [40, 80, 120, 500]


def saved(image, kind, **options):
    file = BytesIO()
    image.save(file, kind, save_all=True, **options)
    return file


def times(file):
    image = Image.open(file)
    found = []
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        found.append(round(image.info["duration"]))
    return found


first, *others = (Image.new("RGB", (64, 64), (60 * number, 0, 0)) for number in range(4))
gif = saved(first, "GIF", append_images=others, duration=TIMES)
expected = {"GIF": TIMES, "PNG": TIMES, "WEBP": [40] * 4, "AVIF": [1] * 4}
for kind, without in expected.items():
    found = times(saved(Image.open(gif), kind))
    given = times(saved(Image.open(gif), kind, duration=TIMES))
    print(kind, found, "with a list", given)
    assert found == without and given == TIMES
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
