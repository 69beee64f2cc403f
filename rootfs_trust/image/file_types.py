"""File types in the formats of images: tar, cpio, ext and erofs."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Mapping

from rootfs_trust.rootfs.view import Directory, File, Node, Special, Symlink

TAR_TYPES: Mapping[int, bytes] = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}
"""The type of a tar entry for each file type of stat(2). A tar archive cannot contain a socket."""

MODES: Mapping[type[Node], int] = {File: stat.S_IFREG, Symlink: stat.S_IFLNK, Directory: stat.S_IFDIR}
"""The file type of stat(2) for each type of node that a run writes."""

OF_ENTRIES: Mapping[int, type[Node]] = {
    1: File,
    2: Directory,
    3: Special,
    4: Special,
    5: Special,
    6: Special,
    7: Symlink,
}
"""The type of node for each number in a directory entry of ext and erofs (fs/fs_types.c of Linux)."""
