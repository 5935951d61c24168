"""Write frames to the socket past the transport, while the transport's buffer is empty.

asyncio's `transport.write` costs each connection as much again as the loop around it: 8.7 µs a
delivery became 4.4 µs (docs/performance.md, row 1). What the kernel does not take, and all that
follows until the buffer is empty again, goes through the transport, which keeps the order.
"""

from __future__ import annotations

import asyncio

from chatserver.core import tuning


def descriptor(transport: asyncio.Transport) -> int:
    """The socket's file descriptor, valid until `connection_lost` is called.

    -1 where every write must go through the transport: over TLS, which encrypts there.
    """
    if not tuning.ENABLED or transport.get_extra_info("sslcontext") is not None:
        return -1
    socket = transport.get_extra_info("socket")
    return -1 if socket is None else socket.fileno()
