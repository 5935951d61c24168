"""Own TLS: the certificate and its key, read again on demand while connections go on."""

from __future__ import annotations

import logging
import ssl

log = logging.getLogger(__name__)


class Certificate:
    """One SSLContext for as long as the server runs.

    A certificate that is loaded into it counts for the handshakes from then on; connections that
    stand were shaken with the old one and notice nothing.
    """

    def __init__(self, certificate: str, key: str) -> None:
        """`certificate` (with its chain) and `key` are files in PEM. Raises OSError, ssl.SSLError among them."""
        self._files = (certificate, key)
        self.context = self._loaded()

    def reload(self) -> None:
        """Read both files again. What cannot be used is logged, and the old certificate stays."""
        try:
            # In a context of its own first: a certificate whose key does not fit would spoil the one in use.
            self._loaded()
            self.context.load_cert_chain(*self._files, password=_no_password)
        except OSError as error:
            log.error("certificate reload failed, keeping the old one: %s: %s", self._files[0], error)
        else:
            log.info("certificate reloaded: %s", self._files[0])

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # An encrypted key would make OpenSSL ask a terminal for its password, and the whole room wait.
        context.load_cert_chain(*self._files, password=_no_password)
        return context


def _no_password() -> str:
    raise OSError("the key is encrypted; use a key without a passphrase")
