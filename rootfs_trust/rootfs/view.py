"""File types (File, Symlink, Directory, ...) and the View protocol for reading a file tree. Does no I/O.

Paths are those of the running device (``/etc/ssl/certs``), decoded as UTF-8 with ``surrogateescape``, so that each name
has one spelling on every host. Contents are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755


class Owner(NamedTuple):
    """Numeric user and group on the device."""

    uid: int
    gid: int


class File(NamedTuple):
    """A regular file. Owner and mode apply only to a new file. If ``owner`` is None, it gets the owner of the root
    directory.
    """

    content: bytes
    owner: Owner | None = None
    mode: int = FILE_MODE


class Symlink(NamedTuple):
    """A symbolic link and its target."""

    points_to: str


class Directory(NamedTuple):
    """A directory. Owner and mode apply only to a new directory."""

    owner: Owner | None = None
    mode: int = DIRECTORY_MODE


class Special(NamedTuple):
    """A FIFO, socket or device, which is never created and never opened."""

    kind: str


@dataclass(frozen=True, slots=True)
class Absent:
    """In a desired tree: nothing may exist at this path."""


Node: TypeAlias = File | Symlink | Directory | Special
Desired: TypeAlias = Mapping[str, File | Symlink | Directory | Absent]
"""The desired tree: what should exist at each path. The order of the mapping is the order of writing."""


NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})
"""The environment of a tree that is not a container image."""


class View(Protocol):
    """A readable file tree: a directory on disk, a dictionary, or the layers of an image.

    Every path is resolved as on the device, and never outside the tree. ``follow`` says whether a final link is
    followed. If a path does not exist, the result is None or empty.
    """

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Return the entry at ``path``, with the content of a file. A followed dangling link is None."""

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Return the type of the entry at ``path`` without reading it."""

    def names(self, path: str) -> list[str]:
        """Return the names in the directory at ``path``, following links, in byte order; empty if not a directory."""

    def real_path(self, path: str) -> str | None:
        """Return the real path of ``path``, without links, or None if it does not exist."""

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Return the extended attributes of the entry at ``path``; for a link, those of the link itself."""

    def mounted(self, path: str) -> bool:
        """Return whether ``path`` is a mount point."""

    def modified(self, path: str) -> int | None:
        """Return the modification time of ``path``, following links, in seconds since 1970, or None."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the config of a container image sets for every program. Empty for any other tree."""


def read(view: View, path: str) -> bytes | None:
    """Return the content of the file at ``path``, following links, or None if it is not a regular file."""
    node = view.node(path, follow=True)
    return node.content if isinstance(node, File) else None


def as_bytes(name: str) -> bytes:
    """Return the bytes of a name on the device, independent of the host's locale. Also the sort key for byte order."""
    return name.encode("utf-8", "surrogateescape")


def as_text(name: bytes) -> str:
    """Decode a name from its bytes on the device. :func:`as_bytes` is the inverse."""
    return name.decode("utf-8", "surrogateescape")


def parent(path: str) -> str:
    """Return the parent directory of ``path``. The root is its own parent."""
    return path.rpartition("/")[0] or "/"


def join(folder: str, name: str) -> str:
    """Return the path of ``name`` in ``folder``."""
    return f"/{name}" if folder == "/" else f"{folder}/{name}"
