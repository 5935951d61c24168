"""Converts pixels to sRGB, from the colour space that the file declares.

A file declares it with an ICC profile, with code points (CICP: ITU-T H.273), or, in a PNG, with a gamma and
chromaticities. If a PNG has several, the PNG specification (third edition, section 13.13) gives their
priority, which browsers follow: cICP, iCCP, sRGB, gAMA and cHRM.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from chatserver.media import hdr, rgb_profile
from chatserver.media.headers import Kind
from chatserver.media.primaries import PRIMARIES, SRGB, Primaries

# Transfer characteristics (H.273, table 3). BT.709 curves are decoded with a gamma of 2.4 (ITU-R BT.1886), as Chromium
# does. Photographs (AVIF, HEIC) are the exception, because cameras mark sRGB photographs with these curves.
_BT709_CURVES = frozenset((1, 6, 14, 15))
_SRGB = 13
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, **dict.fromkeys(_BT709_CURVES, 2.4)}

# A gAMA of 1/2.2 without cHRM means sRGB (PNG specification, section 11.3.2.4): Chromium changes nothing for a gamma
# within the tolerance. Beside cHRM, which ImageMagick writes, Chromium and Firefox apply the power of 2.2.
_GAMMA_OF_SRGB, _GAMMA_TOLERANCE = 1 / 2.2, 0.005

# The descriptions of profiles that need no conversion: of HP (cameras, phones), Little CMS, Skia (Android) and libvips.
# Other profiles have "sRGB" in their description too: "Display P3 Gamut with sRGB Transfer" (libultrahdr).
_SRGB_PROFILES = frozenset(("sRGB IEC61966-2.1", "sRGB built-in", "sRGB Gamut with sRGB Transfer", "sRGB"))


class ColourSpace(NamedTuple):
    """The colour space that a file declares. `profile` is an ICC profile; `cicp` is (primaries, transfer) of H.273."""

    profile: bytes | None = None
    cicp: tuple[int, int] | None = None
    gamma: float | None = None
    primaries: Primaries = SRGB


def colour_space(kind: Kind, data: bytes, image: Image.Image) -> ColourSpace:
    """Read the colour space from the opened `image` and the bytes of its file.

    For a CMYK or grey image only an ICC profile counts.
    """
    profile = image.info.get("icc_profile") or None
    if kind is Kind.PNG:
        return _of_png(data, profile)
    if kind in (Kind.AVIF, Kind.HEIF) and not profile:
        return _of_iso_media(data)
    return ColourSpace(profile)


def to_srgb(image: Image.Image, space: ColourSpace) -> Image.Image:
    """Convert to RGB or RGBA in sRGB. If the colour space is unknown or damaged, the values are taken as sRGB."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = _converted(image.convert("RGB") if alpha else image, space).convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _converted(image: Image.Image, space: ColourSpace) -> Image.Image:
    if space.cicp:
        primaries, transfer = space.cicp
        if transfer in hdr.TRANSFERS:
            return image.convert("RGB").filter(hdr.lookup_table(transfer, PRIMARIES.get(primaries, SRGB)))
        return _apply_profile(image.convert("RGB"), _profile_of_cicp(primaries, transfer))
    if space.profile:
        return _apply_profile(image, space.profile)
    if space.gamma:
        return _apply_profile(image.convert("RGB"), rgb_profile.build(space.primaries, 1 / space.gamma))
    return image


def _profile_of_cicp(primaries: int, transfer: int) -> bytes | None:
    known = PRIMARIES.get(primaries, SRGB)
    if transfer in _GAMMAS:
        return rgb_profile.build(known, _GAMMAS[transfer])
    return None if known == SRGB else rgb_profile.build(known, rgb_profile.SRGB_CURVE)


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile is None:
        return image
    from PIL import ImageCms  # imported here, because a worker starts sooner without it

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if image.mode == "RGB" and ImageCms.getProfileDescription(source).strip() in _SRGB_PROFILES:
            return image
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image


def _of_png(data: bytes, profile: bytes | None) -> ColourSpace:
    """`data` contains only valid chunks (repair.png), and each colour chunk at most once."""
    chunks = _colour_chunks(data)
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2] == 0 and (cicp[0] in PRIMARIES or cicp[1] in hdr.TRANSFERS):
        return ColourSpace(cicp=(cicp[0], cicp[1]))
    if profile or b"sRGB" in chunks:
        return ColourSpace(profile)
    if len(chunks.get(b"gAMA", b"")) != 4:
        return ColourSpace()
    gamma = int.from_bytes(chunks[b"gAMA"], "big") / 100_000
    primaries = _chromaticities(chunks.get(b"cHRM", b""))
    is_srgb = primaries is None and abs(gamma - _GAMMA_OF_SRGB) < _GAMMA_TOLERANCE
    if is_srgb or not 0.05 <= gamma <= 20:
        return ColourSpace()
    return ColourSpace(gamma=gamma, primaries=primaries or SRGB)


def _colour_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks before the image data that describe the colour space: chunk name -> content."""
    found: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IDAT":
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] in (b"cICP", b"sRGB", b"gAMA", b"cHRM"):
            found[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def _chromaticities(chunk: bytes) -> Primaries | None:
    """Parse a cHRM chunk; None if its values are not possible for a display."""
    if len(chunk) != 32:
        return None
    white_x, white_y, *rest = (value / 100_000 for value in struct.unpack(">8I", chunk))
    found = Primaries((rest[0], rest[1]), (rest[2], rest[3]), (rest[4], rest[5]), (white_x, white_y))
    return found if found.is_possible else None


def _of_iso_media(data: bytes) -> ColourSpace:
    """Read the `colr` box of type `nclx` (ISO/IEC 14496-12, section 12.1.5) of the first picture that has this box."""
    at = data.find(b"colrnclx")
    if at < 0 or at + 14 > len(data):
        return ColourSpace()
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    transfer = _SRGB if transfer in _BT709_CURVES else transfer
    if PRIMARIES.get(primaries, SRGB) == SRGB and transfer not in _GAMMAS.keys() | hdr.TRANSFERS:
        return ColourSpace()
    return ColourSpace(cicp=(primaries, transfer))
