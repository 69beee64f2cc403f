"""Detects what a path of the host contains: an image, an archive of a root filesystem, or a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from tarfile import BLOCKSIZE
from typing import NoReturn, TypeAlias

from rootfs_trust.errors import IMAGE, InputError
from rootfs_trust.image.cpio import NEWC, OLD, CpioLayer
from rootfs_trust.image.damage import broken
from rootfs_trust.image.docker import MANIFEST, Archive, ArchiveRenewal, BothRenewal
from rootfs_trust.image.filesystems.open import FilesystemImage, open_filesystem, split_partition
from rootfs_trust.image.filesystems.recognize import name_in
from rootfs_trust.image.host_files import ArchiveFiles, DirectoryFiles, archive_layer, first_bytes, read_file
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.image.model import Decide, Image, ImageFiles, ImageResult
from rootfs_trust.image.oci import OciLayout, UpdatedLayout
from rootfs_trust.image.tar_stream import is_header

_OF_A_LAYOUT = {"oci-layout", "index.json"}


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Container images. ``archive``: they are in a tar file, compressed by ``compression``, and not in a directory."""

    files: ImageFiles
    is_layout: bool
    has_manifest: bool
    archive: bool = True
    compression: str = ""

    def images(self) -> Iterator[Image]:
        """Yield every image, in order. Raises InputError."""
        return OciLayout(self.files).images() if self.is_layout else Archive(self.files).images()

    def renewed(self, decide: Decide) -> ImageResult:
        """Return the images with the changes of ``decide`` applied. Raises InputError."""
        if not self.is_layout:
            return ArchiveRenewal(self.files, decide).run()
        return (BothRenewal if self.has_manifest else UpdatedLayout)(self.files, decide).run()


@dataclass(frozen=True, slots=True)
class RootfsArchive:
    """A tar file that contains a root filesystem, and the tree in it."""

    path: str
    compression: str
    layer: Layer
    tree: ImageTree


@dataclass(frozen=True, slots=True)
class CpioArchive:
    """A cpio archive that contains a root filesystem, such as an initramfs, and the tree in it."""

    path: str
    tree: ImageTree


@dataclass(frozen=True, slots=True)
class RootfsDirectory:
    """A root filesystem in a directory of the host."""

    path: str


Source: TypeAlias = ImageSource | RootfsArchive | CpioArchive | FilesystemImage | RootfsDirectory


def open_source(path: str) -> Source:
    """Open the host path ``path``. Raises InputError."""
    if os.path.isdir(path):
        # Links count as existing here: reading the file later refuses links out of the image.
        is_layout = all(os.path.lexists(os.path.join(path, name)) for name in _OF_A_LAYOUT)
        return ImageSource(DirectoryFiles(path), True, False, archive=False) if is_layout else RootfsDirectory(path)
    return _open_file(*split_partition(path))


def _open_file(path: str, number: int | None) -> Source:
    if number is not None:
        return open_filesystem(path, number) or _without_partitions(path)
    kind, start = first_bytes(path)
    if start.startswith((*NEWC, *OLD)):
        return CpioArchive(path, ImageTree([CpioLayer(path, lambda: read_file(path))], whiteouts=False))
    if is_header(start[:BLOCKSIZE]):
        return _open_tar(path)
    if kind and (name := name_in(start)):
        message = f"is a {name} image that {kind} packed; only cpio and tar are read packed"
        raise InputError(IMAGE(path, message, f"unpack it first: {kind} -dk {path}"))
    image = None if kind else open_filesystem(path)
    if image is None and start.strip(b"\0"):
        raise broken(path, "is not an image of a known format, or its beginning is damaged")
    return image or _open_tar(path)


def _without_partitions(path: str) -> NoReturn:
    raise InputError(IMAGE(path, "has no partitions", "leave out the number after #"))


def _open_tar(path: str) -> Source:
    compression, layer = archive_layer(path)
    tree = ImageTree([layer], whiteouts=False)
    names = set(tree.names("/"))
    if not names:
        raise broken(path, "contains no entries, and is not an image of a known format")
    is_layout, has_manifest = names >= _OF_A_LAYOUT, MANIFEST in names
    if is_layout or (has_manifest and "etc" not in names):
        return ImageSource(ArchiveFiles(path, compression, tree), is_layout, has_manifest, True, compression)
    return RootfsArchive(path, compression, layer, tree)
