"""The file of a backup: a plain tar archive (ustar) with `manifest.json` first, then the files that it lists.

It contains only regular files with the names that this program gives, and the manifest has the size and
SHA-256 of each. So any `tar` can unpack it, and a reader can check and limit all sizes before it writes
a byte.
"""

from chatserver.ops.archive.manifest import DATABASE, FORMAT, Damaged, Entry, Manifest
from chatserver.ops.archive.packing import write, write_file
from chatserver.ops.archive.unpacking import Archive, opened

__all__ = ["DATABASE", "FORMAT", "Archive", "Damaged", "Entry", "Manifest", "opened", "write", "write_file"]
