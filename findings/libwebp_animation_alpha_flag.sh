#!/usr/bin/env bash
# Pillow 13.0.0 (libwebp 1.6.0), and libvips 8.18.7 of pyvips-binary with pyvips 3.2.0.
#
# Pillow saves an animation of two RGBA frames whose right half is transparent as WebP. libwebp's encoder cuts each frame
# to what is not transparent; what remains is opaque, so that no frame has an alpha channel, and the file is written
# without the flag for transparency (RFC 9649, section 2.7). libvips and the browsers show the half that no frame covers
# as transparent. Pillow trusts the flag: its own file comes back as RGB, with that half black. With one half-transparent
# pixel in the first frame the flag is there, and both agree.
#
# Seen: "opaque: Pillow RGB (0, 0, 0, 255), libvips 4 bands [0, 0, 0, 0]" and
# "with alpha: Pillow RGBA (0, 0, 0, 0), libvips 4 bands [0, 0, 0, 0]".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7
cat > "$folder/try.py" <<'PYTHON'
import io

import pyvips
from PIL import Image


def shown(corner):
    first = Image.new("RGBA", (96, 48))
    first.paste((255, 0, 0, 255), (0, 0, 48, 48))
    first.putpixel((0, 0), corner)
    second = first.copy()
    second.paste((0, 0, 255, 255), (8, 8, 24, 24))
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=[second], duration=200, lossless=True, background=(0, 0, 0, 0))
    pillow = Image.open(file)
    vips = pyvips.Image.new_from_buffer(file.getvalue(), "")
    return (
        f"Pillow {pillow.mode} {pillow.convert('RGBA').getpixel((80, 10))}, "
        f"libvips {vips.bands} bands {[int(value) for value in vips(80, 10)]}"
    )


opaque, with_alpha = shown((255, 0, 0, 255)), shown((255, 0, 0, 128))
print("opaque:", opaque)
print("with alpha:", with_alpha)
assert opaque == "Pillow RGB (0, 0, 0, 255), libvips 4 bands [0, 0, 0, 0]"
assert with_alpha == "Pillow RGBA (0, 0, 0, 0), libvips 4 bands [0, 0, 0, 0]"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
