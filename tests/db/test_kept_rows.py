"""Rows in memory equal the rows of the database after any write and any rollback."""

from __future__ import annotations

import sqlite3

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store
from tests.stage import Stage, refuses


def account(tx: Transaction, user: User) -> store.Account | None:
    return store.accounts(tx, {user.id}).get(user.id)


async def reads(stage: Stage, user: User) -> int:
    """The number of statements that it takes to read the member's row."""
    statements: list[str] = []

    def counted(tx: Transaction) -> None:
        connection = tx.execute.__self__
        connection.set_trace_callback(statements.append)
        account(tx, user)
        connection.set_trace_callback(None)

    await stage.run(counted)
    return len(statements)


async def test_a_row_is_read_once(stage: Stage, ming: User) -> None:
    await stage.run(lambda tx: account(tx, ming))
    assert await reads(stage, ming) == 0


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [("muted_until_ms = 7", "muted_until_ms", 7), ("banned = 1", "banned", True)],
)
async def test_any_statement_that_changes_it_has_it_read_again(
    stage: Stage, ming: User, change: str, field: str, value: object
) -> None:
    await stage.run(lambda tx: account(tx, ming))
    await stage.sql(f"UPDATE users SET {change} WHERE name = ?", ming.name)
    assert getattr(await stage.run(lambda tx: account(tx, ming)), field) == value


async def test_a_column_that_is_not_kept_leaves_it(stage: Stage, ming: User) -> None:
    await stage.run(lambda tx: account(tx, ming))
    await stage.sql("UPDATE users SET read_id = 1 WHERE id = ?", ming.id)
    assert await reads(stage, ming) == 0


async def test_a_change_that_is_rolled_back_is_not_kept(stage: Stage, ming: User) -> None:
    def fails(tx: Transaction) -> None:
        tx.execute("UPDATE users SET banned = 1 WHERE id = ?", (ming.id,))
        seen = account(tx, ming)
        assert seen is not None and seen.banned
        raise DomainError(ErrorCode.NOT_FOUND)

    with refuses(ErrorCode.NOT_FOUND):
        await stage.run(fails)
    kept = await stage.run(lambda tx: account(tx, ming))
    assert kept is not None and not kept.banned


async def test_a_member_whose_registration_is_rolled_back_is_not_kept(stage: Stage) -> None:
    found: list[User] = []

    def fails(tx: Transaction) -> None:
        user = store.add(tx, "晓", "none", store.Role.MEMBER, "", 0)
        assert account(tx, user) is not None
        found.append(user)
        raise DomainError(ErrorCode.NOT_FOUND)

    with refuses(ErrorCode.NOT_FOUND):
        await stage.run(fails)
    assert await stage.run(lambda tx: account(tx, found[0])) is None


async def test_what_another_process_writes_is_noticed(stage: Stage, ming: User) -> None:
    await stage.run(lambda tx: account(tx, ming))
    other = sqlite3.connect(stage.database.path)
    with other:
        other.execute("UPDATE users SET banned = 1 WHERE id = ?", (ming.id,))
    other.close()
    seen = await stage.run(lambda tx: account(tx, ming))
    assert seen is not None and seen.banned
