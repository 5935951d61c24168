"""Windows that the server opens at a time that an administrator has set."""
