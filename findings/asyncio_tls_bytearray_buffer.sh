#!/usr/bin/env bash
# asyncio of Python 3.11.7, with TLS (certificate by trustme 1.2.1).
#
# The documentation of BufferedProtocol.get_buffer asks for "an object implementing the buffer protocol". A bytearray
# is one, and works over TCP. Over TLS, asyncio reads the second and later records of one read into `buffer[offset:]`,
# which for a bytearray is a copy: the bytes are counted in buffer_updated and are not in the buffer. With a memoryview
# of the same bytearray the slice is a view, and all is there. No error is raised.
#
# The sender writes 40 records of 1,000 bytes of "x". Seen: "bytearray: 40000 counted, 2000 of them x" (the number of x
# depends on how the records arrive, and is less than what is counted) and "memoryview: 40000 counted, 40000 of them x".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet trustme==1.2.1
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import ssl
import sys

import trustme

RECORDS, SIZE = 40, 1000


class Reader(asyncio.BufferedProtocol):
    def __init__(self, is_view):
        self.store = bytearray(65_536)
        self.buffer = memoryview(self.store) if is_view else self.store
        self.counted = self.seen = 0
        self.ended = asyncio.get_running_loop().create_future()

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, size):
        self.counted += size
        self.seen += self.store[:size].count(b"x")
        self.store[:size] = bytes(size)

    def connection_lost(self, error):
        self.ended.set_result(None)


async def main(is_view):
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    loop = asyncio.get_running_loop()
    reader = Reader(is_view)
    server = await loop.create_server(lambda: reader, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname="localhost")
    for _ in range(RECORDS):
        writer.write(b"x" * SIZE)
    await writer.drain()
    writer.close()
    await reader.ended
    server.close()
    print(reader.counted, reader.seen)


asyncio.run(main(sys.argv[1] == "memoryview"))
PYTHON
read -r counted seen < <("$folder/venv/bin/python" "$folder/try.py" bytearray)
echo "bytearray: $counted counted, $seen of them x"
read -r counted_view seen_view < <("$folder/venv/bin/python" "$folder/try.py" memoryview)
echo "memoryview: $counted_view counted, $seen_view of them x"
[ "$counted" = 40000 ] && [ "$seen" -lt "$counted" ] && [ "$counted_view" = 40000 ] && [ "$seen_view" = 40000 ]
