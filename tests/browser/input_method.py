"""An input method: real composition events, sent by the DevTools protocol."""

from __future__ import annotations

from tests.browser.conftest import Visitor

ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 13}


class InputMethod:
    def __init__(self, visitor: Visitor) -> None:
        visitor.field.focus()
        self._session = visitor.context.new_cdp_session(visitor.page)

    def composes(self, letters: str) -> None:
        """Letters are underlined in the field; they are not words yet."""
        self._session.send(
            "Input.imeSetComposition", {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)}
        )

    def presses_enter(self) -> None:
        """The key that chooses a word. The page gets it too, with key code 229."""
        self._session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **ENTER})
        self._session.send("Input.dispatchKeyEvent", {"type": "keyUp", **ENTER})

    def commits(self, words: str) -> None:
        self._session.send("Input.insertText", {"text": words})
