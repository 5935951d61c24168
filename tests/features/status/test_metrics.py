"""The metrics: what a monitor reads, who may read it, and that the figures are correct."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.client import Browser, House, picture

TOKEN = "a-token-of-some-length"
ROOT = Path(__file__).parents[3]

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scrape(browser: Browser, **headers: str) -> Figures:
    answer = await browser.get("/metrics", {name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, tuple(sorted(labels.items()))), 0.0)


async def test_the_figures_are_those_of_the_room(house: House) -> None:
    member, guest = await house.member("小明"), await house.guest()
    first = await member.socket()
    await member.socket()
    await guest.socket()
    for index in range(3):
        await first.say(f"message {index}", client_id=f"c{index}")
    await member.show(picture())
    refused = await member.post("/post/", {}, {"image": b"just text"})
    assert refused.code == "image_unsupported"
    await first.send("recall", id=999)
    await first.expect("refused", id=999)

    figures = await scrape(guest)
    assert of(figures, "chat_connections", kind="member") == 2
    assert of(figures, "chat_connections", kind="guest") == 1
    assert of(figures, "chat_members_online") == 1
    assert of(figures, "chat_messages_posted_total") == 4
    assert of(figures, "chat_refusals_total", code="image_unsupported") == 1
    assert of(figures, "chat_refusals_total", code="not_found") == 1
    assert of(figures, "chat_image_jobs_total", outcome="done") == 1
    assert of(figures, "chat_image_jobs_total", outcome="image_unsupported") == 1
    assert of(figures, "chat_http_responses_total", status="415") == 1
    assert of(figures, "chat_queue_length") == 0
    assert of(figures, "chat_readers_dropped_total") == 0
    # Four messages, each to three readers, of some hundred bytes each.
    assert of(figures, "chat_broadcast_bytes_total") > 4 * 3 * 100
    assert of(figures, "chat_commit_batch_units_count") == of(figures, "chat_commit_seconds_count") > 4
    assert of(figures, "chat_commit_seconds_bucket", le="+Inf") == of(figures, "chat_commit_seconds_count")
    assert of(figures, "chat_disk_free_bytes") > 0
    assert of(figures, "chat_database_bytes") >= (house.data_dir / "chat.db").stat().st_size
    assert of(figures, "process_resident_memory_bytes") > 0


@pytest.mark.settings(base_url="https://chat.example.org", metrics_token=TOKEN)
async def test_a_scrape_of_a_room_with_a_public_name_needs_the_token_and_no_host_of_its_own(house: House) -> None:
    guest = await house.guest()
    assert (await guest.get("/metrics")).status == 403  # it may come from a proxy that does not name the client
    assert of(await scrape(guest, Authorization=f"Bearer {TOKEN}"), "chat_queue_length") == 0


@pytest.mark.settings(trusted_proxies="127.0.0.1", metrics_token=TOKEN)
async def test_a_program_elsewhere_needs_the_token(house: House) -> None:
    guest = await house.guest()
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    for wrong in ("", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer é"):
        answer = await guest.get("/metrics", {**elsewhere, "Authorization": wrong})
        assert (answer.status, answer.code) == (403, "forbidden"), wrong
    assert await scrape(guest, X_Forwarded_For="203.0.113.9", Authorization=f"Bearer {TOKEN}")
    assert await scrape(guest, X_Forwarded_For="203.0.113.9", Authorization=f"bearer {TOKEN}")
    # A forged entry is further left; the proxy's own entry is the last one.
    assert (await guest.get("/metrics", {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"})).status == 403
    assert (await guest.get("/metrics")).status == 403


@pytest.mark.settings(trusted_proxies="127.0.0.1")
async def test_without_a_token_set_no_token_opens_it(house: House) -> None:
    guest = await house.guest()
    for sent in ("Bearer ", "Bearer", f"Bearer {TOKEN}"):
        answer = await guest.get("/metrics", {"X-Forwarded-For": "203.0.113.9", "Authorization": sent})
        assert answer.status == 403


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_proxy_that_nobody_told_us_of_does_not_make_the_world_local(house: House, name: str) -> None:
    guest = await house.guest()
    assert (await guest.get("/metrics", {name: "203.0.113.9"})).code == "forbidden"
    assert (await guest.get("/metrics")).status == 200


async def test_a_name_that_somebody_pointed_at_this_host_is_not_this_host(house: House) -> None:
    guest = await house.guest()
    assert (await guest.get("/metrics", {"Host": "rebound.example.org"})).code == "forbidden"
    for host in ("localhost:8000", "[::1]:8000", "127.0.0.1"):
        assert (await guest.get("/metrics", {"Host": host})).status == 200, host


async def test_the_dashboard_asks_for_figures_that_there_are(house: House) -> None:
    member = await house.member("小明")
    await member.show(picture())
    await (await house.guest()).post("/post/", {"text": "x"})
    names = {name for name, _ in await scrape(member)}
    dashboard = json.loads((ROOT / "docs/grafana.json").read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) >= 12
    for expression in asked:
        used = set(re.findall(r"\b(?:chat|process)_[a-z_]+", expression))
        assert used and used <= names, expression


async def test_every_figure_of_ours_is_in_the_dashboard(house: House) -> None:
    member = await house.member("小明")
    await member.show(picture())
    await (await house.guest()).post("/post/", {"text": "x"})
    families = text_string_to_metric_families((await member.get("/metrics")).text)
    dashboard = (ROOT / "docs/grafana.json").read_text("utf-8")
    assert [f.name for f in families if f.name.startswith("chat_") and f.name not in dashboard] == []
