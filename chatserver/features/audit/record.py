"""Records an act of an administrator, of a bot that manages ordering windows, or of the operator.

Call it in the transaction of the act, so that an act is never stored without its record, or a record without its act.
"""

from __future__ import annotations

import json
from enum import StrEnum

from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.http.viewer import short_agent

Detail = str | int | float | bool | None


class AuditAct(StrEnum):
    """The recorded acts. The part before the dot is the kind of the act, by which the page can filter."""

    MEMBER_MUTE = "member.mute"
    MEMBER_UNMUTE = "member.unmute"
    MEMBER_BAN = "member.ban"
    MEMBER_UNBAN = "member.unban"
    MEMBER_PROMOTE = "member.promote"
    MEMBER_DEMOTE = "member.demote"
    MEMBER_TAKE_AVATAR = "member.take_avatar"
    MEMBER_TAKE_NAME = "member.take_name"
    MEMBER_CREATE_ADMIN = "member.create_admin"
    MEMBER_RESET_PASSWORD = "member.reset_password"  # nosec B105 # the name of an act
    MEMBER_PASSWORD_LINK = "member.password_link"  # nosec B105 # the name of an act
    SETTING_CHANGE = "setting.change"
    WINDOW_OPEN = "window.open"
    WINDOW_MOVE = "window.move"
    WINDOW_STOP = "window.stop"
    PLAN_MAKE = "plan.make"
    PLAN_CHANGE = "plan.change"
    PLAN_REMOVE = "plan.remove"
    PLAN_SKIP = "plan.skip"
    PLAN_OPEN = "plan.open"
    PLAN_FAIL = "plan.fail"
    ORDER_CHANGE = "order.change"
    ORDER_WITHDRAW = "order.withdraw"
    ORDER_MARK = "order.mark"
    ORDER_READING = "order.reading"
    TEMPLATE_MAKE = "template.make"
    TEMPLATE_CHANGE = "template.change"
    TEMPLATE_REMOVE = "template.remove"
    MESSAGE_RECALL = "message.recall"
    MESSAGE_DELETE = "message.delete"
    INVITE_MAKE = "invite.make"
    INVITE_WITHDRAW = "invite.withdraw"
    BOT_MAKE = "bot.make"
    BOT_CHANGE = "bot.change"
    BOT_TOKEN = "bot.token"  # nosec B105 # the name of an act
    BOT_END_TOKEN = "bot.end_token"  # nosec B105 # the name of an act
    BOT_REMOVE = "bot.remove"
    PICTURE_ANNOUNCEMENT = "picture.announcement"
    PICTURE_PRESET = "picture.preset"
    NOTICE_CHANGE = "notice.change"
    NOTICE_REMOVE = "notice.remove"
    ROOM_RESTORE = "room.restore"


def record(
    tx: Transaction, now_ms: int, act: AuditAct, actor: User | None, user_id: int | None = None, **details: Detail
) -> None:
    """Add an entry. `actor` is None for the operator; `user_id` is the affected member. `now_ms` is in Unix ms.

    `details` must not contain text of a message, a secret, or the name of a member.
    """
    tx.execute(
        "INSERT INTO audit (at_ms, act, done_by, user_id, details, device) VALUES (?, ?, ?, ?, ?, ?)",
        (
            now_ms, act.value, actor.id if actor else None, user_id, json.dumps(details, ensure_ascii=False),
            short_agent(tx.agent.encode("utf-8", "replace").decode()),
        ),
    )  # fmt: skip
