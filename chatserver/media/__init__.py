"""Pictures: read, made small and stored, knowing nothing of the room.

`workers.ImageWorkers` is the way in for the event loop, `files.MediaFiles` the directory on disk.
Everything that touches uploaded bytes (`headers`, `images`, `fitting`) runs in `worker`'s process
only: the server itself never imports Pillow.
"""

from chatserver.media.files import Folder, MediaFiles
from chatserver.media.protocol import Rendered
from chatserver.media.workers import ImageWorkers

__all__ = ["Folder", "ImageWorkers", "MediaFiles", "Rendered"]
