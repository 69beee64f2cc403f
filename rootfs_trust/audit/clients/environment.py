"""Variables that the tree sets for programs: files of the system's environment, of shells and of systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.rootfs.nodes import join, read

_FILES = ("/etc/environment", "/etc/profile", "/etc/systemd/system.conf")
_FOLDERS = (
    "/etc/profile.d",
    "/etc/environment.d",
    "/etc/default",
    "/etc/systemd/system.conf.d",
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
)
_LARGEST = 64 * 1024


def variable(reading: Reading, name: str) -> list[tuple[str, str]]:
    """The values that files of the tree give to the variable ``name``, and the files; in the order of reading.

    Values that only a shell could work out are given as they stand.
    """
    pattern = re.compile(rf"\b{name}=(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s\"';]+))")
    found = []
    for path in _places(reading):
        data = read(reading.view, path) or b""
        if len(data) <= _LARGEST and name.encode() in data:
            text = data.decode("utf-8", "replace")
            lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
            found += [("".join(match.groups("")), path) for line in lines for match in pattern.finditer(line)]
    return found


def _places(reading: Reading) -> Iterator[str]:
    yield from (path for path in _FILES if reading.is_file(path))
    for folder in _FOLDERS:
        for name in reading.view.names(folder):
            path = join(folder, name)
            if reading.is_file(path):
                yield path
            elif name.endswith(".service.d"):
                yield from reading.files_in(path)
