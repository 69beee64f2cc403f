"""What a path of the host holds: an image of some form, the tar file of a root filesystem, or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rootfs_trust.image.docker import MANIFEST, Archive, ArchiveRenewal, BothRenewal
from rootfs_trust.image.documents import broken
from rootfs_trust.image.host import ArchiveFiles, FolderFiles, archive_layer
from rootfs_trust.image.model import Decide, Files, Image, Result
from rootfs_trust.image.oci import Layout, Renewal
from rootfs_trust.image.tree import Layer, Tree

_OF_A_LAYOUT = {"oci-layout", "index.json"}


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Images. ``archive``: in a tar file, packed by ``compression``, not in a folder."""

    files: Files
    is_layout: bool
    has_manifest: bool
    archive: bool = True
    compression: str = ""

    def images(self) -> Iterator[Image]:
        """Every image, in order. Raises InputError."""
        return Layout(self.files).images() if self.is_layout else Archive(self.files).images()

    def renewed(self, decide: Decide) -> Result:
        """The same with what ``decide`` gives added to each image. Raises InputError."""
        if not self.is_layout:
            return ArchiveRenewal(self.files, decide).run()
        return (BothRenewal if self.has_manifest else Renewal)(self.files, decide).run()


@dataclass(frozen=True, slots=True)
class RootfsArchive:
    """The tar file of a root filesystem, and its tree."""

    path: str
    compression: str
    layer: Layer
    tree: Tree


@dataclass(frozen=True, slots=True)
class RootfsFolder:
    """A root filesystem in a folder."""

    path: str


Source: TypeAlias = ImageSource | RootfsArchive | RootfsFolder


def open_source(path: str) -> Source:
    """What is at the host path ``path``. Raises InputError."""
    if os.path.isdir(path):
        is_layout = all(os.path.isfile(os.path.join(path, name)) for name in _OF_A_LAYOUT)
        return ImageSource(FolderFiles(path), True, False, archive=False) if is_layout else RootfsFolder(path)
    compression, layer = archive_layer(path)
    tree = Tree([layer], whiteouts=False)
    names = set(tree.names("/"))
    if not names:
        raise broken(path, "is no tar archive, or an empty one")
    is_layout, has_manifest = names >= _OF_A_LAYOUT, MANIFEST in names
    if is_layout or (has_manifest and "etc" not in names):
        return ImageSource(ArchiveFiles(path, compression, tree), is_layout, has_manifest, True, compression)
    return RootfsArchive(path, compression, layer, tree)
