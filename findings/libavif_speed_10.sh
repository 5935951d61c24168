#!/usr/bin/env bash
# Pillow 13.0.0 (libavif 1.4.2 with libaom 3.14.1).
#
# libavif documents its speeds as 0 (slowest) to 10 (fastest). With libaom as its encoder, a still picture saved with speed
# 10 has the same bytes as with speed 9: libaom's all-intra mode knows no speed above 9. Speeds 8 and 9 differ.
#
# Seen, for 512 x 512 pixels of noise at quality 60: speed 8 another file than speed 9, speeds 9 and 10 the same file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0
cat > "$folder/try.py" <<'PYTHON'
from hashlib import sha256
from io import BytesIO

from PIL import Image

image = Image.effect_noise((512, 512), 40).convert("RGB")


def saved(speed):
    file = BytesIO()
    image.save(file, "AVIF", quality=60, speed=speed, codec="aom", max_threads=1)
    return file.getvalue()


files = {speed: saved(speed) for speed in (8, 9, 10)}
for speed, data in files.items():
    print(speed, len(data), sha256(data).hexdigest()[:12])
assert files[9] == files[10] != files[8]
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
