"""The limit on failed logins, for each account and for each address."""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.rate_limit import AttemptLimit

WITHIN_SECONDS = 15 * 60
FAILURES_OF_ACCOUNT = 5
FAILURES_OF_ADDRESS = 20


class LoginFailures:
    """Counts failed logins. `key` is the result of `names.lookup_key` for the name."""

    def __init__(self, clock: Clock) -> None:
        self._of_account = AttemptLimit(clock, FAILURES_OF_ACCOUNT, WITHIN_SECONDS)
        self._of_address = AttemptLimit(clock, FAILURES_OF_ADDRESS, WITHIN_SECONDS)

    def count(self, key: str, address: str | None = None) -> None:
        """Count an attempt as failed before its password is checked, so that concurrent attempts are all counted.

        Raises DomainError `login_throttled` after 5 failures of the account, or 20 of the address, in 15 minutes.
        """
        wait_ms = self._of_account.wait_ms(key)
        if address is not None:
            wait_ms = max(wait_ms, self._of_address.wait_ms(address))
        if wait_ms:
            raise DomainError(ErrorCode.LOGIN_THROTTLED, retry_after_ms=wait_ms)
        self._of_account.record(key)
        if address is not None:
            self._of_address.record(address)

    def clear(self, key: str, address: str | None = None) -> None:
        """Clear the account's failures after a correct password, and this attempt of the address.

        The address's other failures stay. Otherwise a guesser who has an account could clear them again and again.
        """
        self._of_account.clear(key)
        if address is not None:
            self._of_address.undo(address)
