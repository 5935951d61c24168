"""The announcement picture, and the preset picture."""
