"""The errors that a client can get. An error is a code with its HTTP status; the HTTP layer adds the message."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self


class Code(StrEnum):
    """The base of the error codes of the HTTP API and of the WebSocket protocol, each with its HTTP status.

    A code that one use case alone raises is declared beside its rule, as an enumeration of its own.
    """

    status: int

    def __new__(cls, code: str, status: int = 400) -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.status = status
        return self


class ErrorCode(Code):
    """The codes that are not declared beside a rule."""

    BAD_REQUEST = "bad_request", 400
    EMPTY = "empty", 400
    TOO_LONG = "too_long", 400
    NAME_INVALID = "name_invalid", 400
    PASSWORD_WEAK = "password_weak", 400
    INVITE_INVALID = "invite_invalid", 400
    IMAGE_UNREADABLE = "image_unreadable", 400
    LOGIN_REQUIRED = "login_required", 401
    LOGIN_FAILED = "login_failed", 401
    FORBIDDEN = "forbidden", 403
    CSRF = "csrf", 403
    NOT_YOURS = "not_yours", 403
    RECALL_EXPIRED = "recall_expired", 403
    MUTED = "muted", 403
    BANNED = "banned", 403
    REGISTRATION_CLOSED = "registration_closed", 403
    NOT_FOUND = "not_found", 404
    GONE = "gone", 410
    METHOD_NOT_ALLOWED = "method_not_allowed", 405
    NAME_TAKEN = "name_taken", 409
    WINDOW_OPEN = "window_open", 409
    WINDOW_CLOSED = "window_closed", 409
    SOLD_OUT = "sold_out", 409
    OVER_LIMIT = "over_limit", 409
    BODY_TOO_LARGE = "body_too_large", 413
    IMAGE_TOO_LARGE = "image_too_large", 413
    IMAGE_UNSUPPORTED = "image_unsupported", 415
    WRONG_HOST = "wrong_host", 421
    TOO_FAST = "too_fast", 429
    LOGIN_THROTTLED = "login_throttled", 429
    BUSY = "busy", 503
    STORAGE_FULL = "storage_full", 507
    INTERNAL = "internal", 500


class DomainError(Exception):
    """A request that a rule refused. `details` are sent to the client (`retry_after_ms`, `limit_mb` …).

    Do not put data into `details` that this client may not see.
    """

    def __init__(self, code: Code, **details: Any) -> None:
        super().__init__(code.value)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"{self.code.value} {self.details}" if self.details else self.code.value
