"""Roots that are compiled into a program.

Such a list is Mozilla's or close to it, and has no file. It is taken to be what the distribution ships of Mozilla's: a
binary for another machine is not run, and no place in it is known to hold the list.
"""

from __future__ import annotations

from rootfs_trust.clients.client import ClientAnchor, FoundAnchors
from rootfs_trust.clients.file_readers import FileReader

NOTE = "compiled-in roots are taken to be Mozilla's as the distribution ships them"

_MOZILLA = ("/usr/share/ca-certificates/mozilla",)


def compiled_in(reading: FileReader, program: str) -> FoundAnchors:
    """Return the roots compiled into the file ``program``, which counts as their file."""
    anchors: list[ClientAnchor] = []
    for folder in _MOZILLA:
        for path in reading.files_in(folder):
            file = reading.openssl_bundle(path)
            anchors += (each._replace(path=program) for each in file.anchors) if file else ()
    return FoundAnchors(tuple(anchors), f"the roots compiled into {program}")
