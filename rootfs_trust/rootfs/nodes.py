"""The nouns: what can stand at a path of a root filesystem, wanted or found.

Paths are those of the running device (``/etc/ssl/certs``), as text: their bytes read as UTF-8 with
``surrogateescape``, so that any name has one spelling on every host. Contents are bytes. Nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755


class Owner(NamedTuple):
    """Numeric user and group, as the device will see them."""

    uid: int
    gid: int


class File(NamedTuple):
    """A regular file. ``owner`` None: that of the root folder. Owner and mode are for a new file only."""

    content: bytes
    owner: Owner | None = None
    mode: int = FILE_MODE


class Symlink(NamedTuple):
    """A symbolic link and the text in it."""

    points_to: str


class Directory(NamedTuple):
    """A folder. Owner and mode are for a new folder only."""

    owner: Owner | None = None
    mode: int = DIRECTORY_MODE


@dataclass(frozen=True, slots=True)
class Special:
    """A FIFO, socket or device: only ever found, never wanted, never opened."""

    kind: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Wanted: nothing at this path."""


Node: TypeAlias = File | Symlink | Directory | Special
Desired: TypeAlias = Mapping[str, File | Symlink | Directory | Absent]
"""What should stand where; the order of the mapping is the order of writing."""


class View(Protocol):
    """A tree that can be looked at, whatever holds it: a folder on disk, a dictionary, an image's layers.

    Every path is resolved as the device would resolve it, and never leads out of the tree. ``follow`` says
    whether a link in the last place is followed. Where nothing stands, the answer is None or empty.
    """

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """What stands at ``path``. A file's content is read; a link that leads nowhere is None if followed."""

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """The type of what stands at ``path``, without reading it."""

    def names(self, path: str) -> list[str]:
        """The names in the folder at ``path`` (links followed), in byte order; empty if it is no folder."""

    def real_path(self, path: str) -> str | None:
        """The path free of links of what stands at ``path``, or None where nothing does."""

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """The extended attributes of what stands at ``path``, the link itself if it is one."""

    def mounted(self, path: str) -> bool:
        """Whether ``path`` itself is a mount point."""

    def modified(self, path: str) -> int | None:
        """When what stands at ``path``, links followed, was last changed, in seconds since 1970; None without it."""


def read(view: View, path: str) -> bytes | None:
    """The content of the file at ``path``, links followed; None where there is no regular file."""
    node = view.node(path, follow=True)
    return node.content if isinstance(node, File) else None


def as_bytes(name: str) -> bytes:
    """The bytes of a name on the device, whatever the host's locale; also the key by which C's sort orders names."""
    return name.encode("utf-8", "surrogateescape")


def as_text(name: bytes) -> str:
    """A name from its bytes on the device; :func:`as_bytes` gives them back."""
    return name.decode("utf-8", "surrogateescape")


def parent(path: str) -> str:
    """The folder that holds ``path``; the root is its own parent."""
    return path.rpartition("/")[0] or "/"


def join(folder: str, name: str) -> str:
    """``name`` inside ``folder``."""
    return f"/{name}" if folder == "/" else f"{folder}/{name}"
