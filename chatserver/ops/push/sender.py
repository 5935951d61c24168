"""Sends one message to its push service (RFC 8030), with retries after transient failures."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from enum import Enum, auto
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from chatserver.core.numbers import whole_number
from chatserver.core.push_services import origin_of
from chatserver.ops.push.public_addresses import PublicResolver

log = logging.getLogger(__name__)

# Timeouts of one request with its answer, of which only the head is read.
REQUEST_SECONDS, CONNECT_SECONDS = 20.0, 10.0
# Pauses before the second, third and fourth try. A service may ask for a longer pause with Retry-After, up to
# RETRY_AFTER_MAX seconds.
RETRY_SECONDS = (2.0, 10.0, 60.0)
RETRY_AFTER_MAX = 300
_CONNECTIONS_MAX, _CONNECTIONS_OF_HOST_MAX = 40, 20
_GONE = frozenset({404, 410})
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})


class Message(NamedTuple):
    """A message from the server (chatserver/features/push/handover.py). `ttl` is in seconds."""

    subscription: int
    endpoint: str
    topic: str
    urgency: str
    ttl: int
    authorization: str
    body: bytes

    @classmethod
    def of(cls, shown: dict[str, Any]) -> Message:
        """Build a message from the server's JSON. Raises LookupError, TypeError or ValueError if it is not valid."""
        body = base64.b64decode(shown["body"], validate=True)
        return cls(**{name: shown[name] for name in cls._fields if name != "body"}, body=body)

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or ""


class Outcome(Enum):
    SENT = auto()
    GONE = auto()
    """The push service says that the subscription does not exist (RFC 8030, section 7.3)."""
    FAILED = auto()


class Sender:
    """An async context manager. `ca` has certificates (PEM) to trust in addition to the system's; "" for none.

    Raises ssl.SSLError if `ca` is not empty and has no certificate.
    """

    def __init__(self, services: tuple[str, ...], *, ca: str = "", allow_private: bool = False) -> None:
        self._services = services
        self._tls = ssl.create_default_context()
        if ca:
            self._tls.load_verify_locations(cadata=ca)
        self._resolver = PublicResolver(allow_private=allow_private)

    async def __aenter__(self) -> Sender:
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            resolver=self._resolver,
            limit=_CONNECTIONS_MAX,
            limit_per_host=_CONNECTIONS_OF_HOST_MAX,
        )
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=CONNECT_SECONDS)
        # Use no cookies, and no proxies and passwords from the environment.
        self._http = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def send(self, message: Message) -> Outcome:
        """Send, with retries, until the service accepts or finally rejects the message, or its TTL is over.

        Logs every outcome except success.
        """
        if origin_of(message.endpoint, self._services) is None:
            log.warning("not sent: %s is not on the list of push services", message.host)
            return Outcome.FAILED
        if self._resolver.refuses(message.host):
            log.warning("not sent: %s is no public address", message.host)
            return Outcome.FAILED
        deadline = asyncio.get_running_loop().time() + message.ttl
        for pause in (*RETRY_SECONDS, None):
            status, asked_s = await self._post(message)
            if 200 <= status < 300:
                return Outcome.SENT
            if status in _GONE:
                log.info("%s does not know a subscription any more (%d)", message.host, status)
                return Outcome.GONE
            wait_s = None if pause is None else max(pause, asked_s)
            if (status and status not in _MAY_PASS) or wait_s is None:
                break
            if asyncio.get_running_loop().time() + wait_s >= deadline:
                break
            await asyncio.sleep(wait_s)
        log.warning("not sent: %s answered %s", message.host, status or "nothing")
        return Outcome.FAILED

    async def _post(self, message: Message) -> tuple[int, int]:
        """Send one request. Returns the status (0: no answer) and the seconds of Retry-After (0: none)."""
        headers = {
            "TTL": str(message.ttl),
            "Urgency": message.urgency,
            "Topic": message.topic,
            "Authorization": message.authorization,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "User-Agent": "chatserver",
        }
        try:
            request = self._http.post(message.endpoint, data=message.body, headers=headers, allow_redirects=False)
            async with request as answer:
                asked_s = whole_number(answer.headers.get("Retry-After", ""), 0, RETRY_AFTER_MAX)
                return answer.status, asked_s or 0
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("%s could not be reached: %s", message.host, _reason(error))
            return 0, 0


def _reason(error: Exception) -> str:
    """The error's reason without the push address, which is a secret of the browser."""
    cause = error.__cause__ or error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    return (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
