"""The settings in force, the settings page, and what else depends on them."""
