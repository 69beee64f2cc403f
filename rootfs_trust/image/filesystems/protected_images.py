"""Refuses to change images that signatures or dm-verity hashes protect. Does no I/O itself."""

from __future__ import annotations

from rootfs_trust.errors import IMAGE, InputError
from rootfs_trust.image.filesystems.erofs import Erofs
from rootfs_trust.image.filesystems.ext import Ext
from rootfs_trust.image.filesystems.open import FilesystemImage, ImageFile
from rootfs_trust.image.filesystems.partitions import read_partitions
from rootfs_trust.image.filesystems.squashfs import Squashfs
from rootfs_trust.image.filesystems.storage import Storage, start_of

_VERITY = b"verity\0\0"
_PIECE = 1024 * 1024
_ORDER = "install first, then make the hashes and signatures: run image on the image before it is signed"


def refuse_protected(image: FilesystemImage) -> None:
    """Raise InputError if a change would invalidate a signature or hashes in the same file."""
    if image.partition is None:
        _refuse_behind(image, image.storage)
        return
    for partition in read_partitions(ImageFile(image.path)) or ():
        if start_of(partition.storage, len(_VERITY)) == _VERITY:
            message = f"has dm-verity hashes in partition {partition.number}, which a change would invalidate"
            raise InputError(IMAGE(image.place, message, _ORDER))
    _refuse_behind(image, image.partition.storage)


def _refuse_behind(image: FilesystemImage, storage: Storage) -> None:
    """Refuse an image with data after the file system, such as hashes of dm-verity, a signature of RAUC, or Android's
    footer.
    """
    filesystem = image.view.filesystem
    size = filesystem.superblock.size if isinstance(filesystem, Ext | Squashfs | Erofs) else storage.size
    for start in range(size, storage.size, _PIECE):
        piece = storage.read(start, min(_PIECE, storage.size - start))
        if piece.strip(b"\0"):
            what = "dm-verity hashes" if _VERITY in piece else "data, perhaps a signature,"
            message = f"has {what} after its file system, which a change would invalidate"
            raise InputError(IMAGE(image.place, message, _ORDER))
