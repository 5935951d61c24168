"""`chatserver push`: takes encrypted messages from the server and sends them to push services (RFC 8030)."""
