"""Roots that are compiled into a program.

Such a list is Mozilla's or similar, and is not stored in a file. This module assumes that it contains the roots of
Mozilla that the distribution ships. It cannot ask the program, which may be for another architecture, and the position
of the list in the program is not known.
"""

from __future__ import annotations

from rootfs_trust.clients.client import ClientAnchor, FoundAnchors
from rootfs_trust.clients.file_readers import FileReader

NOTE = "the compiled-in roots are assumed to be Mozilla's, as the distribution ships them"

_MOZILLA = ("/usr/share/ca-certificates/mozilla",)


def compiled_in(reading: FileReader, program: str) -> FoundAnchors:
    """Return the roots that are compiled into the file ``program``. Their path is the path of the program."""
    anchors: list[ClientAnchor] = []
    for folder in _MOZILLA:
        for path in reading.files_in(folder):
            file = reading.openssl_bundle(path)
            anchors += (each._replace(path=program) for each in file.anchors) if file else ()
    return FoundAnchors(tuple(anchors), f"the roots compiled into {program}")
