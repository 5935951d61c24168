"""WebSocket clients of the table in docs/protocol.md, a program each.

`PROGRAM ADDRESS TOKEN SEND`: connects with the bearer header, sends what SEND says (`nothing`, `big`: a frame over the
limit, `bad`: ten frames that are none of the protocol), receives until the end, and prints one JSON object: how the
library tells of it.
"""
