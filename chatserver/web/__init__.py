"""The edge that browsers and bots talk to: HTTP, the WebSocket, the pages."""
