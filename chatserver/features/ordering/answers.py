"""Responses to a new or changed order, and the form fields that both requests share."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_text
from chatserver.core.model import Kind, Message, Role, State, User
from chatserver.core.numbers import ID_MAX, whole_number
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.ordering import order_input
from chatserver.features.ordering.model import Order
from chatserver.http import forms, responses
from chatserver.http.viewer import form_of, wants_html


def ack(client_id: str, order: Order, seq: int) -> bytes:
    shape = '{"type":"ack","client_id":%s,"id":%d,"seq":%d,"no":%d,"receipt":"%s"}'
    return (shape % (encode_text(client_id), order.id, seq, order.no, order.receipt.hex())).encode()


def order_answer(
    request: web.Request, encoder: MessageEncoder, message: Message, order: Order, status: int
) -> web.Response:
    """303 to the room for a browser's form, else the message as JSON with the `receipt`."""
    if wants_html(request):
        return responses.see_other("/")
    return responses.as_json({**encoder.as_dict(message), "receipt": order.receipt.hex()}, status)


async def fields_of(request: web.Request) -> dict[str, Any]:
    """Read a JSON object, or a form with its `lines` in the JSON shape. Raises DomainError `bad_request`."""
    if request.content_type == "application/json":
        return await forms.read_json(request)
    fields: dict[str, Any] = dict(form_of(request).fields)
    return {**fields, "lines": order_input.form_lines(fields)}


def optional_id(fields: dict[str, Any], name: str) -> int | None:
    """Read an id from a number or a string of digits; None if the field is empty. Raises DomainError `bad_request`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    found = whole_number(value, 1) if isinstance(value, str) else value
    if type(found) is not int or not 0 < found <= ID_MAX:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return found


def message_of(tx: Transaction, order: Order, author: User) -> Message:
    """The present message of an order. If it has expired from the history, it is built from the ledger."""
    return message_store.get(tx, order.id) or expired_message(tx, order)


def expired_message(tx: Transaction, order: Order) -> Message:
    account = account_store.account(tx, order.user_id)
    author = account.user if account else User(order.user_id, order.user, Role.MEMBER)
    state = State.LIVE if order.is_standing else State.RECALLED
    return Message(
        order.id, order.posted_seq, state, Kind.ORDER, author, order.text, "", "", 0, 0, order.created_ms,
        order.created_ms, None, "", extra=order.extra,
    )  # fmt: skip
