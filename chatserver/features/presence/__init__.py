"""Who is connected; the room page and its socket."""
