"""The settings of the room, and the page on which administrators change them."""
