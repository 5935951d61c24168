"""The errors that a client can get. An error is a code; the HTTP layer adds the message and the status."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """The error codes of the HTTP API and of the WebSocket protocol."""

    BAD_REQUEST = "bad_request"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NAME_INVALID = "name_invalid"
    PASSWORD_WEAK = "password_weak"
    INVITE_INVALID = "invite_invalid"
    IMAGE_UNREADABLE = "image_unreadable"
    LOGIN_REQUIRED = "login_required"
    LOGIN_FAILED = "login_failed"
    FORBIDDEN = "forbidden"
    CSRF = "csrf"
    NOT_YOURS = "not_yours"
    RECALL_EXPIRED = "recall_expired"
    EDIT_EXPIRED = "edit_expired"
    MUTED = "muted"
    BANNED = "banned"
    REGISTRATION_CLOSED = "registration_closed"
    NOT_FOUND = "not_found"
    GONE = "gone"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NAME_TAKEN = "name_taken"
    WINDOW_OPEN = "window_open"
    WINDOW_CLOSED = "window_closed"
    SOLD_OUT = "sold_out"
    OVER_LIMIT = "over_limit"
    BODY_TOO_LARGE = "body_too_large"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_UNSUPPORTED = "image_unsupported"
    WRONG_HOST = "wrong_host"
    TOO_FAST = "too_fast"
    LOGIN_THROTTLED = "login_throttled"
    BUSY = "busy"
    STORAGE_FULL = "storage_full"
    INTERNAL = "internal"


class DomainError(Exception):
    """A request that a rule refused. `details` are sent to the client (`retry_after_ms`, `limit_mb` …).

    Do not put data into `details` that this client may not see.
    """

    def __init__(self, code: ErrorCode, **details: Any) -> None:
        super().__init__(code.value)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"{self.code.value} {self.details}" if self.details else self.code.value
