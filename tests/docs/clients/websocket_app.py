import contextlib
from typing import Any

import websocket
from sending import arguments, tell


def main() -> None:
    address, headers, texts = arguments()
    told: list[Any] = []

    def on_open(app: websocket.WebSocketApp) -> None:
        with contextlib.suppress(Exception):
            for text in texts:
                app.send(text)

    app = websocket.WebSocketApp(
        address,
        header=headers,
        on_open=on_open,
        on_error=lambda app, error: told.append(["on_error", getattr(error, "status_code", None)]),
        on_close=lambda app, code, reason: told.append(["on_close", code]),
    )
    tell("run_forever", returns=app.run_forever(), told=told)


main()
