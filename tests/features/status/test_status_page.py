"""The status page: only for administrators, in both languages, with charts of the last hour."""

from __future__ import annotations

import re

from chatserver.features.status.charts import HEIGHT, WIDTH, chart
from chatserver.features.status.sample_history import SAMPLES_MAX
from tests.client import House


async def test_only_administrators_see_it(house: House) -> None:
    member, admin = await house.member("小明"), await house.administrator()
    assert (await member.get("/status/")).code == "forbidden"
    assert (await (await house.guest()).get("/status/")).code == "login_required"
    assert (await admin.page("/status/")).status == 200


async def test_it_says_how_the_room_is_doing_in_plain_words(house: House) -> None:
    admin = await house.administrator()
    socket = await admin.socket()
    await socket.say("one")
    await admin.post("/post/", {})
    words = (await admin.page("/status/", Accept_Language="en")).text
    assert "<h1>Status</h1>" in words and "1 member, 0 guests" in words
    assert re.search(r"<dt>Messages posted</dt><dd>1</dd>", words)
    # the refusal with the code `empty`
    assert re.search(r"<dt>[^<]+</dt><dd>1</dd></div>\s*</dl>\s*</section>\s*</main>", words)
    assert "运行状态" in (await admin.page("/status/", Accept_Language="zh")).text


async def test_it_draws_what_was_and_needs_no_inline_style(house: House) -> None:
    admin = await house.administrator()
    watch = house.server.room.metrics
    before = (await admin.page("/status/")).text
    assert "chart-line" not in before
    for _ in range(3):
        await admin.say("one more")
        watch.sample()
    after = (await admin.page("/status/")).text
    assert after.count('class="chart-line" d="M') == 4
    assert "style=" not in after and "<style" not in after
    hour = (await admin.get("/status/")).json["hour"]
    assert [sample["posted"] for sample in hour] == [1, 1, 1]
    assert all(sample["commit_seconds"] > 0 for sample in hour)


async def test_an_hour_is_kept_and_no_more(house: House) -> None:
    watch = house.server.room.metrics
    for _ in range(SAMPLES_MAX + 5):
        watch.sample()
    assert len(watch.hour) == SAMPLES_MAX


async def test_a_sample_is_taken_every_half_minute_of_beats(house: House) -> None:
    watch = house.server.room.metrics
    taken = len(watch.hour)
    for _ in range(3):
        house.clock.forward(10)
        watch.beat(0.02)
    assert len(watch.hour) == taken + 1
    assert list(watch.hour)[-1].lag_seconds >= 0.02


async def test_a_server_that_was_late_is_remarked_on(house: House) -> None:
    admin = await house.administrator()
    assert "No problems found" in (await admin.page("/status/?lang=en")).text
    watch = house.server.room.metrics
    watch.lag.observe(1.5)
    watch.sample()
    words = (await admin.page("/status/?lang=en")).text
    assert "delayed by up to 1.5 s" in words and "No problems found" not in words


async def test_push_notifications_that_nothing_takes_away_are_remarked_on(house: House) -> None:
    admin = await house.administrator()
    assert "推送通知" not in (await admin.page("/status/")).text
    await admin.post("/settings/", {"push": "on"})
    page = (await admin.page("/status/")).text
    assert "推送通知：没有进程在发送通知" in page and "已发送 0，失败 0，设备已失效 0，等待 0" in page


def test_a_chart_ends_at_the_right_edge_and_stays_in_its_box() -> None:
    drawn = chart([0, 3, 12], SAMPLES_MAX, 5)
    points = [tuple(map(float, point.split(","))) for point in re.findall(r"[\d.]+,[\d.]+", drawn.line)]
    assert points[-1][0] == WIDTH and all(0 <= x <= WIDTH and 1 <= y <= HEIGHT - 1 for x, y in points)
    assert points[-1][1] < points[1][1] < points[0][1]


def test_a_quiet_hour_is_a_flat_line_at_the_bottom() -> None:
    assert chart([0, 0], 2, 5).line == f"M0.0,{HEIGHT - 1:.1f} L{WIDTH:.1f},{HEIGHT - 1:.1f}"
    assert chart([1], SAMPLES_MAX, 5).line == ""
