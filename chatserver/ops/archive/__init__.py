"""A backup's file: a plain tar archive (ustar), `manifest.json` first, then the files that it lists.

Only regular files under names of ours, each with its size and SHA-256 in the manifest: what any
`tar` can unpack, and what a reader can check and bound before it writes a byte.
"""

from chatserver.ops.archive.manifest import DATABASE, FORMAT, Damaged, Entry, Manifest
from chatserver.ops.archive.packing import write, write_file
from chatserver.ops.archive.unpacking import Archive, opened

__all__ = ["DATABASE", "FORMAT", "Archive", "Damaged", "Entry", "Manifest", "opened", "write", "write_file"]
