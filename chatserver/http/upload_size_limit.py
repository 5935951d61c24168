"""The limit on the bytes of one upload, from the setting `upload_max_mb`. forms.py checks it while it reads a body."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode


def check_declared(content_length: int | None, upload_max: int, fields_max: int) -> None:
    """Check the Content-Length of a multipart body before the body is read. All arguments are in bytes.

    `fields_max` is the maximum of the text fields that the body has besides the upload. Raises DomainError
    `image_too_large` (`limit_mb`).
    """
    if (content_length or 0) > upload_max + fields_max:
        raise _too_large(upload_max)


def check_received(size: int, upload_max: int) -> None:
    """Check the bytes of an upload that were received so far, because a body may have no Content-Length.

    Raises DomainError `image_too_large` (`limit_mb`).
    """
    if size > upload_max:
        raise _too_large(upload_max)


def _too_large(upload_max: int) -> DomainError:
    return DomainError(ErrorCode.IMAGE_TOO_LARGE, limit_mb=upload_max // 1_048_576)
