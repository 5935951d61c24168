"""`chatserver push`: takes encrypted messages from the server and gives them to push services (RFC 8030)."""
