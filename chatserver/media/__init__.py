"""Decodes uploaded pictures, encodes them as WebP or AVIF, and stores the files. Knows no table and no event.

The event loop calls `workers.ImageWorkers`; `files.MediaFiles` is the directory on disk. `headers`,
`images`, and what it imports, reads uploaded bytes and runs only in the worker processes (`worker`): the server
process never imports Pillow.
"""

from chatserver.media.files import Folder, MediaFiles
from chatserver.media.protocol import Rendered
from chatserver.media.workers import ImageWorkers

__all__ = ["Folder", "ImageWorkers", "MediaFiles", "Rendered"]
