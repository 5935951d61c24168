"""The TLS certificate and its key. They can be reloaded without closing connections."""

from __future__ import annotations

import logging
import ssl

log = logging.getLogger(__name__)


class Certificate:
    """One SSLContext that exists as long as the server.

    A reloaded certificate is used for later handshakes. Open connections keep their TLS session.
    """

    def __init__(self, certificate: str, key: str) -> None:
        """`certificate` (with its chain) and `key` are paths of PEM files. Raises OSError (also ssl.SSLError)."""
        self._files = (certificate, key)
        self.context = self._new_context()

    def reload(self) -> None:
        """Read both files again. If they are invalid, log an error and keep the present certificate."""
        try:
            # Load into a new context first, because a certificate with the wrong key would break the context in use.
            self._new_context()
            self.context.load_cert_chain(*self._files, password=_no_password)
        except OSError as error:
            log.error("certificate reload failed, keeping the old one: %s: %s", self._files[0], error)
        else:
            log.info("certificate reloaded: %s", self._files[0])

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # Otherwise OpenSSL would ask for the password of an encrypted key on the terminal, and block the event loop.
        context.load_cert_chain(*self._files, password=_no_password)
        return context


def _no_password() -> str:
    raise OSError("the key is encrypted; use a key without a passphrase")
