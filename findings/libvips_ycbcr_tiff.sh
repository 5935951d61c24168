#!/usr/bin/env bash
# ffmpeg 9.0.2 (imageio-ffmpeg 0.8.1), libvips 8.18.7 of pyvips-binary with pyvips 3.2.0, Pillow 13.0.0.
#
# ffmpeg writes a TIFF of -pix_fmt yuv420p or yuv444p with YCbCr samples and PackBits (TIFF 6.0, section 21). libvips
# converts the one whose colours have half the resolution to RGB. Of the one with full resolution it hands out Y, Cb and
# Cr as if they were red, green and blue, without a warning: white becomes pink. Pillow (libtiff) converts both.
#
# Seen, of a pixel that was red (230, 30, 30): Pillow within 6 of it in both files, libvips within 6 of it in yuv420p, and
# [93, 98, 216], its Y, Cb and Cr, in yuv444p.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 imageio-ffmpeg==0.8.1
cat > "$folder/try.py" <<'PYTHON'
import subprocess
import sys

import imageio_ffmpeg
import pyvips
from PIL import Image

folder = sys.argv[1]
RED, YCBCR = (230, 30, 30), (93, 98, 216)
Image.new("RGB", (64, 48), RED).save(f"{folder}/red.png")


def near(one, other):
    return all(abs(a - b) <= 6 for a, b in zip(one, other, strict=True))


for layout, expected in (("yuv420p", RED), ("yuv444p", YCBCR)):
    path = f"{folder}/{layout}.tiff"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", f"{folder}/red.png", "-pix_fmt", layout, path]
    subprocess.run(command, check=True)
    with Image.open(path) as image:
        pillow = image.convert("RGB").getpixel((20, 20))
    vips = [int(value) for value in pyvips.Image.new_from_file(path)(20, 20)][:3]
    print(layout, "Pillow", pillow, "libvips", vips)
    assert near(pillow, RED) and near(vips, expected)
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
