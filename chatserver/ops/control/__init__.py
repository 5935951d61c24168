"""The server's halves of the operator's commands: called over a socket, or on the files when no server runs."""
