import contextlib

import websocket
from sending import arguments, raised, tell


def main() -> None:
    address, headers, texts = arguments()
    try:
        ws = websocket.create_connection(address, header=headers)
    except websocket.WebSocketBadStatusException as refused:
        raised(refused, status=refused.status_code)
        return
    with contextlib.suppress(OSError):  # the server may have closed the connection meanwhile
        for text in texts:
            ws.send(text)
    try:
        while True:
            opcode, data = ws.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                tell("recv_data returns", code=int.from_bytes(data[:2], "big"))
                return
    except (OSError, websocket.WebSocketException) as error:
        raised(error)


main()
