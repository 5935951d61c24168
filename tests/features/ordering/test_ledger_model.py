"""Random orders, changes, withdrawals, moves, closes, corrections and restarts, compared with a model of twenty
lines."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatserver.core.errors import DomainError
from chatserver.core.model import Role, User
from chatserver.features.ordering import amounts, journal, offer, store
from chatserver.features.ordering.sums import Sums
from tests.stage import Stage, staged
from tests.support import FakeClock

STOCK, LIMIT, PRICE = 1000, 400, 333  # 10 pieces in all, 4 for each member, at 3.33 each
MEMBERS = ("甲", "乙", "丙")

quantities = st.integers(1, 500)
steps = st.one_of(
    st.tuples(st.just("order"), st.integers(0, 2), quantities),
    st.tuples(st.just("change"), st.integers(1, 6), quantities),
    st.tuples(st.just("withdraw"), st.integers(1, 6), st.just(0)),
    st.tuples(st.just("correct"), st.integers(1, 6), quantities),
    st.tuples(st.just("move"), st.integers(1, 60), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 20), st.just(0)),
    st.tuples(st.just("stop"), st.just(0), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


class Model:
    """The expected ledger: number -> [member, hundredths, whether it stands]."""

    def __init__(self) -> None:
        self.orders: dict[int, list[Any]] = {}
        self.is_open = True

    def fits(self, member: int, hundredths: int, freed: int = 0) -> bool:
        standing = [order for no, order in self.orders.items() if order[2] and no != freed]
        have = sum(order[1] for order in standing if order[0] == member)
        return have + hundredths <= LIMIT and sum(order[1] for order in standing) + hundredths <= STOCK

    def order(self, member: int, hundredths: int) -> bool:
        if done := self.is_open and self.fits(member, hundredths):
            self.orders[len(self.orders) + 1] = [member, hundredths, True]
        return done

    def change(self, no: int, hundredths: int, may: bool) -> bool:
        order = self.orders.get(no)
        if done := bool(order and order[2] and may and self.fits(order[0], hundredths, freed=no)):
            self.orders[no][1] = hundredths
        return done

    def withdraw(self, no: int) -> bool:
        if done := bool(self.is_open and no in self.orders and self.orders[no][2]):
            self.orders[no][2] = False
        return done


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=25))
def test_the_ledger_is_what_the_model_says(story: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(play(Path(directory), story))


async def play(directory: Path, story: list[tuple[str, int, int]]) -> None:
    clock, model = FakeClock(), Model()
    pieces: list[list[tuple[str, int, int]]] = [[]]
    for step in story:
        pieces.append([]) if step[0] == "restart" else pieces[-1].append(step)
    people: list[User] = []
    for number, piece in enumerate(pieces):
        async with staged(directory, clock) as stage:
            if number == 0:
                people += [await stage.join("老王", Role.ADMINISTRATOR), *[await stage.join(name) for name in MEMBERS]]
                await stage.room.windows.start(people[0], offered=offered())
            for step in piece:
                await take(stage, model, people, *step)
                await stage.room.windows.close_due()
                model.is_open = await stage.room.windows.next_closing() is not None
            await compare(stage, model, people)


def offered() -> offer.Offer:
    item = {
        "name": "果",
        "price": amounts.money(PRICE),
        "stock": amounts.quantity(STOCK),
        "limit": amounts.quantity(LIMIT),
    }
    return offer.read({"items": [item], "seconds": 60})


async def take(stage: Stage, model: Model, people: Sequence[User], kind: str, n: int, hundredths: int) -> None:
    room, admin = stage.room, people[0]
    lines = [{"item": 1, "quantity": amounts.quantity(hundredths)}]
    ids = dict(await stage.sql("SELECT no, message_id FROM orders"))
    owner = people[model.orders[n][0] + 1] if n in model.orders else admin
    if kind == "order":
        assert await done(room.place_order.place(people[n + 1], lines)) == model.order(n, hundredths)
    elif kind == "change":
        wanted = model.change(n, hundredths, model.is_open)
        assert await done(room.change_order.change(owner, ids.get(n, 9_999), lines)) == wanted
    elif kind == "withdraw":
        stood = n in model.orders and model.orders[n][2]
        answered = await done(room.recall.recall(owner, ids.get(n, 9_999)))
        assert answered == (model.withdraw(n) or (n in model.orders and not stood))
    elif kind == "correct":
        wanted = model.change(n, hundredths, True)
        assert await done(room.change_order.change(admin, ids.get(n, 9_999), lines, "", "改正")) == wanted
    elif kind == "move" and model.is_open:
        await room.windows.start(admin, n)
    elif kind == "wait":
        stage.clock.forward(n)
    elif kind == "stop" and model.is_open:
        await room.windows.stop(admin)


async def done(asked: Any) -> bool:
    try:
        await asked
    except DomainError:
        return False
    return True


async def compare(stage: Stage, model: Model, people: Sequence[User]) -> None:
    window, orders, chain = await stage.run(
        lambda tx: (store.window(tx, 1), store.orders(tx, 1), journal.entries(tx, 1))
    )
    assert window is not None
    standing = {no: order for no, order in model.orders.items() if order[2]}
    assert [order.no for order in orders] == [*model.orders]
    assert {order.no for order in orders if order.is_standing} == {*standing}
    assert (window.orders, window.members) == (len(standing), len({order[0] for order in standing.values()}))
    [item] = await stage.run(lambda tx: store.items(tx, 1))
    assert item.ordered == sum(order[1] for order in standing.values())
    sums = Sums([item], orders)
    cents = sum(amounts.line_amount(order[1], PRICE) or 0 for order in standing.values())
    assert (sums.quantities[1], sums.total or 0) == (item.ordered, cents)
    assert journal.first_wrong(chain) is None and (not chain or chain[-1].head == window.head)
    readable = [entry.body for entry in chain if entry.body and '"lines"' in entry.body]
    assert len(readable) == len(standing)
    said = {no: (text, state) for no, text, state in await stage.sql(
        "SELECT o.no, m.text, m.state FROM orders o JOIN messages m ON m.id = o.message_id"
    )}  # fmt: skip
    for no, (text, state) in said.items():
        assert (text, state) == (
            (f"果 {amounts.quantity(standing[no][1])}", "live") if no in standing else ("", "recalled")
        )
