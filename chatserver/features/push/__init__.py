"""Web Push (RFC 8030, 8291, 8292): what a member wants to hear while no page is open. Sent by `chatserver push`."""
