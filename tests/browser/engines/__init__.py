"""Other engines than the newest Chromium, real ones, each behind the same few calls (`tab.Tab`).

| engine | where it comes from | driven over |
| --- | --- | --- |
| Chromium 88 and 106 | npm packages that hold a binary: `install.sh` | the DevTools protocol, by Playwright |
| Firefox ESR | Debian's `firefox-esr` | WebDriver BiDi, over aiohttp's WebSocket |
| WebKit | Debian's `webkit2gtk-driver` (MiniBrowser), with `xvfb` | WebDriver, over aiohttp |

Playwright's own Firefox and WebKit are builds of its own, which are in no package registry.
"""
