#!/usr/bin/env bash
# Pillow 13.0.0, OpenCV 5.0.0.93 (opencv-python-headless), and libvips 8.18.7 of pyvips-binary with pyvips 3.2.0.
#
# The number in a GIF's NETSCAPE2.0 block and the one in a WebP (RFC 9649, section 2.7.1.1) do not mean the same: 2 in a
# GIF is three times in Chromium and in Firefox, 2 in a WebP is twice. libvips and OpenCV add one when they read a GIF, and
# subtract one when they write it. Pillow hands out the number as it stands, in info["loop"]: saved with that as `loop`,
# what was shown three times is shown twice as WebP. A file that goes back and forth between the two loses one time with each
# round.
#
# Seen: "GIF 2 -> WebP: Pillow 2, libvips 3, OpenCV 3" and "GIF of libvips, WebP of Pillow: 3 2 1".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 opencv-python-headless==5.0.0.93
cat > "$folder/try.py" <<'PYTHON'
import io
import sys

import cv2
import pyvips
from PIL import Image

folder = sys.argv[1]
frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]


def webp_count(data):
    """The loop count as the file has it: the chunk ANIM, after four bytes of colour."""
    at = data.index(b"ANIM") + 12
    return int.from_bytes(data[at : at + 2], "little")


def by_pillow(gif):
    file = io.BytesIO()
    image = Image.open(io.BytesIO(gif))
    image.save(file, "WEBP", save_all=True, loop=image.info["loop"])
    return file.getvalue()


def by_vips(data, kind):
    return pyvips.Image.new_from_buffer(data, "", n=-1).write_to_buffer(kind)


def by_opencv(gif):
    with open(f"{folder}/in.gif", "wb") as file:
        file.write(gif)
    animation = cv2.imreadanimation(f"{folder}/in.gif")[1]
    cv2.imwriteanimation(f"{folder}/out.webp", animation)
    with open(f"{folder}/out.webp", "rb") as file:
        return file.read()


file = io.BytesIO()
frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=2)
gif = file.getvalue()
found = [webp_count(each) for each in (by_pillow(gif), by_vips(gif, ".webp"), by_opencv(gif))]
print("GIF 2 -> WebP: Pillow {}, libvips {}, OpenCV {}".format(*found))
assert found == [2, 3, 3]
webp = by_vips(gif, ".webp")
rounds = [webp_count(webp)]
while rounds[-1] > 1:
    webp = by_pillow(by_vips(webp, ".gif"))
    rounds.append(webp_count(webp))
print("GIF of libvips, WebP of Pillow:", *rounds)
assert rounds == [3, 2, 1]
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
