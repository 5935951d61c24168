"""WebSocket clients of the table in docs/protocol.md, a program for each.

`PROGRAM ADDRESS TOKEN SEND` connects with the bearer header, sends what SEND names (`nothing`; `big`: a frame above the
limit; `bad`: ten invalid frames), receives until the end, and prints one JSON object: how the library reports the end.
"""
