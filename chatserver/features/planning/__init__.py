"""Windows that open by themselves at a time that an administrator has set."""
