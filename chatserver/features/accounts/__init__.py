"""Members: register, log in, profile, passwords, names, moderation."""
