"""Decodes uploaded pictures, encodes them as WebP or AVIF, and stores the files. Knows no table and no event.

The event loop calls `workers.ImageWorkers`; `files.MediaFiles` is the directory on disk. `images`, and the modules that
it imports, read uploaded bytes and run only in the worker processes (`worker`), so that the server process never
imports Pillow. Import nothing here: a worker would import it too, which takes a third of the worker's start.
"""
