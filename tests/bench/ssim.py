"""Structural similarity of two pictures, with Pillow alone.

Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment (2004), equation 13, over windows of 8 by 8 pixels of the
luma, every STEP pixels in both directions. Windows only on a grid of 8 would coincide with JPEG's own blocks, and would
not show the edges between them.
"""

from __future__ import annotations

from itertools import product
from statistics import fmean

from PIL import Image, ImageMath

BLOCK, STEP = 8, 2
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(first: Image.Image, second: Image.Image) -> float:
    """1 for equal pictures, and less for different pictures. Both must have the same size."""
    x, y = (image.convert("L").convert("F") for image in (first, second))
    steps = range(0, BLOCK, STEP)
    return fmean(_on_grid(x, y, left, top) for left, top in product(steps, steps))


def _on_grid(x: Image.Image, y: Image.Image, left: int, top: int) -> float:
    """The mean over adjacent windows, the first of them at `left` and `top`."""
    box = (left, top, left + (x.width - left) // BLOCK * BLOCK, top + (x.height - top) // BLOCK * BLOCK)
    x, y = x.crop(box), y.crop(box)
    mean_x, mean_y = x.reduce(BLOCK), y.reduce(BLOCK)
    variance_x = _less(_mean_of_product(x, x), mean_x, mean_x)
    variance_y = _less(_mean_of_product(y, y), mean_y, mean_y)
    covariance = _less(_mean_of_product(x, y), mean_x, mean_y)
    similar = ImageMath.lambda_eval(
        lambda a: (
            (2 * a["mx"] * a["my"] + _C1)
            * (2 * a["cov"] + _C2)
            / ((a["mx"] * a["mx"] + a["my"] * a["my"] + _C1) * (a["vx"] + a["vy"] + _C2))
        ),
        mx=mean_x,
        my=mean_y,
        vx=variance_x,
        vy=variance_y,
        cov=covariance,
    )
    # ImageStat cannot be used: it reads a histogram, and images of floats have none.
    mean = similar.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, float)
    return mean


def _mean_of_product(x: Image.Image, y: Image.Image) -> Image.Image:
    product: Image.Image = ImageMath.lambda_eval(lambda a: a["x"] * a["y"], x=x, y=y)
    return product.reduce(BLOCK)


def _less(product: Image.Image, x: Image.Image, y: Image.Image) -> Image.Image:
    less: Image.Image = ImageMath.lambda_eval(lambda a: a["p"] - a["x"] * a["y"], p=product, x=x, y=y)
    return less
