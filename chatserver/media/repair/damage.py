"""What the repairs of all formats share: the repaired file, and how much may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile

from chatserver.core.errors import DomainError, ErrorCode

# The largest share of rows that may be missing. A file that lost 5 % of its bytes can lose this share of its rows,
# since the lower edge of a photograph is often plain; one that lost half of them lacks more.
MISSING_MAX = 0.25


class Repaired:
    """A file that was whole. The formats' own classes add what is missing from theirs."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def load(self, image: Image.Image) -> Image.Image:
        """Decode `image`, which was opened from `data`. Raises DomainError: `image_unreadable` when too much lacks."""
        image.load()
        return image

    def without_missing(self, image: Image.Image) -> Image.Image:
        """The decoded image, of 8 bits a channel, with the rows transparent that are missing."""
        return image


def check_missing(share: float) -> None:
    """Raises DomainError: `image_unreadable` for a `share` of rows that is too large."""
    if share > MISSING_MAX:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)


def without_rows_from(image: Image.Image, row: int) -> Image.Image:
    """The image with transparent rows from `row` on, as browsers show rows that have not arrived."""
    if row >= image.height:
        return image
    image = image.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, row, image.width, image.height))
    return image


def repeat_rows_from(image: Image.Image, row: int) -> Image.Image:
    """The image with every second row from `row` on like the row above it: those are the last pass of interlacing."""
    for each in range(row, image.height, 2):
        image.paste(image.crop((0, each - 1, image.width, each)), (0, each))
    return image


@contextmanager
def decoding_what_there_is() -> Iterator[None]:
    """Let Pillow's decoders end without an error where the file ends; rows that are missing stay 0."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
