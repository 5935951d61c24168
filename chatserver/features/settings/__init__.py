"""The settings in force, the settings page, and the web app manifest."""
