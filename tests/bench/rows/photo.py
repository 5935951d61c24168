"""Row 12: a phone's photo is encoded in 200 KB: the time, the quality, and the delay of the event loop."""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.bench import floors, photographs, pings, ssim
from tests.bench.bench import Bench, Measure
from tests.bench.results import Figure, Result, at_least, at_most, percentile
from tests.bench.server import Server, serving

LIMIT_BYTES = 200 * 1024
UPLOADS = 4


def run(bench: Bench) -> Result:
    result = Result()
    sources = photographs.sources(bench.photographs, bench.work)
    for title, source in sources:
        _shrink(bench, title, source, result)
    uploaded, count = sources[0][1], bench.size(UPLOADS, 1)
    with serving(bench) as server:
        lags = bench.in_turns(lag=lambda: pings.during(bench, server, lambda: _upload(bench, server, uploaded, count)))[
            "lag"
        ]
    result.line("slowest answer to a ping meanwhile", "ms", [worst for worst, _ in lags], goal=at_most(30))
    result.notes.append(
        f"pings took {percentile([usual for _, usual in lags], 0.5):.1f} ms in the median. The workers ran on the"
        " server's one core: with a second one they would leave the loop alone."
    )
    return result


def _shrink(bench: Bench, title: str, source: Path, result: Result) -> None:
    with floors.start(bench, "photo", str(source), str(LIMIT_BYTES), str(bench.work)) as floor:
        floor.read_line(30)
        found = bench.in_turns(
            ours=lambda: float(floor.ask("ours")) * 1000,
            seed=lambda: float(floor.ask("seed")) * 1000,
        )
    with Image.open(source) as photo:
        pixels = photo.width * photo.height
    what = f"{title}: {pixels / 1e6:.1f} megapixels ({source.stat().st_size / 1e6:.1f} MB) to 200 KB"
    result.line(what, "ms", found["ours"], "the seed's way", found["seed"], at_most(0.6))
    _compare_quality(bench, title, source, result)


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    """Use only the server's answer, so that no module of a tree is imported."""
    [_, source], *_ = photographs.sources(bench.photographs, bench.work)
    with serving(bench) as server:

        def posted() -> list[Figure]:
            started = time.perf_counter()
            _upload(bench, server, source, 1)
            elapsed = time.perf_counter() - started
            return [Figure("a photo posted, until the answer", "ms", elapsed * 1000)]

        posted()  # this starts the picture worker
        yield posted


def _compare_quality(bench: Bench, title: str, source: Path, result: Result) -> None:
    """SSIM of the result, twice: in its stored size, and scaled to the photo's own size.

    The first value is compared with a JPEG of the photo in the size that the server chose, which compares encoders. The
    second is compared with a JPEG of the photo in its own size, which also compares the choice of the size.
    """
    ours = bench.work / "ours"
    with Image.open(ours) as picture:
        shown = picture.convert("RGB")
    with Image.open(source) as photo:
        whole = photo.convert("RGB")
    reference = whole.resize(shown.size, Image.Resampling.LANCZOS)
    _compare(result, f"{title}: SSIM of the result", reference, shown, "JPEG at 200 KB")
    large = shown.resize(whole.size, Image.Resampling.BICUBIC)
    _compare(result, "the same, shown in the photo's own size", whole, large, "JPEG at 200 KB of that size")
    seeds = (bench.work / "seed").stat().st_size
    result.notes.append(
        f"{title}: the result has {ours.stat().st_size / 1024:.0f} KiB and {shown.width} by {shown.height} px;"
        f" the seed's has {seeds / 1024:.0f} KiB{', over its limit' if seeds > LIMIT_BYTES else ''}."
    )


def _compare(result: Result, what: str, reference: Image.Image, shown: Image.Image, floor: str) -> None:
    with Image.open(BytesIO(_best_jpeg(reference))) as jpeg:
        theirs = ssim.ssim(reference, jpeg)
    result.line(what, "", [ssim.ssim(reference, shown)], floor, [theirs], at_least(1))


def _best_jpeg(image: Image.Image) -> bytes:
    """The best JPEG quality that fits. The search may take any time."""
    best = b""
    low, high = 1, 95
    while low <= high:
        quality = (low + high) // 2
        out = BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if len(out.getvalue()) <= LIMIT_BYTES:
            best, low = out.getvalue(), quality + 1
        else:
            high = quality - 1
    return best


def _upload(bench: Bench, server: Server, source: Path, count: int) -> None:
    member = bench.members[1]
    boundary = secrets.token_hex(16)
    start = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n\r\n'
    body = start.encode() + source.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Cookie": member.cookie,
        "X-CSRFToken": member.token,
    }
    for _ in range(count):
        connection = http.client.HTTPConnection(server.target.host, server.target.port, timeout=60)
        connection.request("POST", "/post/", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"a photo was refused: {answer.status} {said[:300]!r}")
