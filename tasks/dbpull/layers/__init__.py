"""What may be around a dump, gzip and tar, recognised by first bytes, never by names.

::

    found = layers.opened(stream, "latest.tgz")
    if isinstance(found, OneFile):      # a dump in one file, without its layers
        archive.read(found.stream)
    else:                               # the files of a dump in directory format
        for name, stream in found.files:
            ...
    found.finish()                      # the layers' own ends and checksums
"""

from __future__ import annotations

from dbpull.layers.kind import BLOCK, OWN_TAR, is_packed, judge
from dbpull.layers.unpacking import DATA_FILE, TOC, ManyFiles, OneFile, opened

__all__ = [
    "BLOCK",
    "DATA_FILE",
    "OWN_TAR",
    "TOC",
    "ManyFiles",
    "OneFile",
    "is_packed",
    "judge",
    "opened",
]
