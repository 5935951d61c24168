"""Web Push (RFC 8030, 8291, 8292): notifications for members while no page is open. Sent by `chatserver push`."""
