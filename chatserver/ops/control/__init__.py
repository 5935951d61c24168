"""The server's part of the operator's commands: called over a socket, or on the files if no server runs."""
