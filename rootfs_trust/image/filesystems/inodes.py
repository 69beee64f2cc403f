"""The interface of all file systems: inodes, and the entries of directories. Does no I/O."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.root_directory import MAX_FILE
from rootfs_trust.rootfs.view import Directory, File, Node, Owner, Special, Symlink, as_text

MAX_LINK = 4095
"""Maximum length of a symbolic link in bytes (PATH_MAX without its NUL)."""

KINDS: Mapping[int, type[Node]] = {
    stat.S_IFREG: File,
    stat.S_IFDIR: Directory,
    stat.S_IFLNK: Symlink,
    stat.S_IFCHR: Special,
    stat.S_IFBLK: Special,
    stat.S_IFIFO: Special,
    stat.S_IFSOCK: Special,
}


@dataclass(frozen=True, slots=True)
class Inode:
    """An inode. ``mode`` includes the file type, as in stat(2); ``mtime`` is in seconds since 1970.

    ``device`` is the number of a device node (major, minor).
    """

    number: int
    mode: int
    owner: Owner
    mtime: int
    size: int
    links: int = 1
    device: tuple[int, int] = (0, 0)

    @property
    def kind(self) -> type[Node]:
        """The type of the node."""
        return KINDS[stat.S_IFMT(self.mode)]


class Child(NamedTuple):
    """An entry of a directory: its inode, and its type according to the directory (None: not recorded)."""

    number: int
    kind: type[Node] | None


class Filesystem(Protocol):
    """A file system in an image. Methods raise MalformedError if the image is malformed."""

    @property
    def name(self) -> str:
        """The name of the format, such as ``ext4``, ``squashfs`` or ``erofs``."""

    @property
    def root(self) -> int:
        """The number of the root directory's inode."""

    def inode(self, number: int) -> Inode:
        """Return the inode with this number."""

    def children(self, number: int) -> dict[str, Child]:
        """Return the entries of a directory, without ``.`` and ``..``."""

    def content(self, number: int) -> bytes:
        """Return the content of a regular file of at most MAX_FILE bytes, or the target of a link."""

    def attributes(self, number: int) -> dict[str, bytes]:
        """Return the extended attributes of an inode, by their full names."""


NO_DEVICE = (0, 0)


def device_number(mode: int, packed: int) -> tuple[int, int]:
    """Return major and minor of a device node from Linux's 32-bit encoding; zeros for any other inode."""
    if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
        return NO_DEVICE
    return packed >> 8 & 0xFFF, packed & 0xFF | packed >> 12 & 0xFFF00


def checked_mode(number: int, mode: int) -> int:
    """Return ``mode``. Raises MalformedError if its file type is unknown."""
    if stat.S_IFMT(mode) not in KINDS:
        raise MalformedError(f"has an inode {number} of an unknown type ({mode:#o})")
    return mode


def checked_size(inode: Inode) -> int:
    """Return the size of an inode whose content is to be read. Raises MalformedError if it exceeds the limit."""
    most = MAX_LINK if inode.kind is Symlink else MAX_FILE
    if inode.size > most:
        raise MalformedError(f"has an inode {inode.number} of {inode.size} bytes; at most {most} can be read")
    return inode.size


def add_child(children: dict[str, Child], name: bytes, number: int, kind: type[Node] | None) -> None:
    """Add an entry to ``children``. Raises MalformedError for an impossible or duplicate name."""
    if name in (b".", b".."):
        return
    text = as_text(name)
    if not name or b"/" in name or b"\0" in name:
        raise MalformedError(f"has a directory entry with the impossible name {text!r}")
    if text in children:
        raise MalformedError(f"has a directory with two entries named {text!r}")
    children[text] = Child(number, kind)


Decompress = Callable[[bytes, int], bytes]
"""A function that decompresses one block. Its second argument is the maximum size of the result."""
