"""Decodes uploaded pictures, encodes them as WebP or AVIF, and stores the files. Knows no table and no event.

The event loop calls `workers.ImageWorkers`; `files.MediaFiles` is the directory on disk. `images`, and what it
imports, reads uploaded bytes and runs only in the worker processes (`worker`): the server process never imports
Pillow. Nothing is imported here, because a worker would import it too, which takes a third of its start.
"""
