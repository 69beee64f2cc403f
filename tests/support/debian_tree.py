"""Root filesystems on disk that look like Debian's, small and made on the spot."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path

from tests.support.authority import Authority
from tests.support.inside import write_inside

SHIPPED = ("mozilla/Alpha_Root.crt", "mozilla/Beta_Root.crt", "mozilla/Gamma_Root.crt")
CONF = "etc/ca-certificates.conf"


@functools.cache
def shipped_authority(name: str) -> Authority:
    return Authority(name)


class DebianTree:
    """``configured`` False leaves the tree as unpacked packages do: no list, an empty store."""

    def __init__(self, path: Path, *, configured: bool = True) -> None:
        self.path = path
        self.write("etc/os-release", b'ID=debian\nVERSION_ID="12"\n')
        for directory in ("var/lib/dpkg", "etc/ssl/certs", "usr/local/share/ca-certificates", "etc/tedge"):
            (path / directory).mkdir(parents=True)
        for name in SHIPPED:
            self.write(f"usr/share/ca-certificates/{name}", shipped_authority(name).pem)
        if configured:
            self.write(CONF, "".join(f"{name}\n" for name in SHIPPED).encode())

    def write(self, name: str, content: bytes) -> Path:
        return write_inside(self.path, name, content)

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    @property
    def root(self) -> str:
        return str(self.path)

    def snapshot(self) -> dict[str, tuple[object, ...]]:
        return snapshot(self.path)


def snapshot(path: Path) -> dict[str, tuple[object, ...]]:
    """Every entry below ``path``: type, mode, owner, time, and content or link text."""
    entries: dict[str, tuple[object, ...]] = {}
    for directory, directories, files in os.walk(path):
        for name in [*directories, *files]:
            full = os.path.join(directory, name)
            status = os.lstat(full)
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(status.st_mode):
                content = Path(full).read_bytes()
            entries[os.path.relpath(full, path)] = (
                stat.filemode(status.st_mode),
                status.st_uid,
                status.st_gid,
                status.st_mtime_ns,
                content,
            )
    return entries


def contents(path: Path) -> dict[str, object]:
    """The same without owners and times."""
    return {name: (entry[0], entry[4]) for name, entry in snapshot(path).items()}
