"""Recognizes the format of an image by its first bytes. Does no I/O itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rootfs_trust.image.filesystems import erofs, ext, squashfs
from rootfs_trust.image.filesystems.inodes import Filesystem
from rootfs_trust.image.filesystems.storage import Storage, start_of

_START = 128 * 1024
_BTRFS_MAGIC = 0x10040


class Unreadable(NamedTuple):
    """A format that cannot be read: its name, and what to do instead."""

    name: str
    hint: str


_READERS: tuple[tuple[int, bytes, Callable[[Storage], Filesystem]], ...] = (
    (0, squashfs.MAGIC, squashfs.Squashfs),
    (erofs.SUPERBLOCK, erofs.MAGIC, erofs.Erofs),
    (ext.SUPERBLOCK + 56, ext.MAGIC, ext.Ext),
)
"""Offset and bytes of the magic number of each format, and its reader."""

_UNPACK = "unpack it first"
_DECRYPT = "open it with cryptsetup, and pass the decrypted image"
_MOUNT = "mount it, and pass the directory"
_CONVERT = "convert it first: qemu-img convert -O raw"

_OTHERS = (
    (0, b"LUKS\xba\xbe", Unreadable("an encrypted LUKS volume", _DECRYPT)),
    (0, b"verity\0\0", Unreadable("a dm-verity hash tree", "pass the image of the data that the hashes are of")),
    (0, b"hsqt", Unreadable("a squashfs of an old OpenWrt", "unpack it with that version's unsquashfs")),
    (0, squashfs.BIG_ENDIAN, Unreadable("a big-endian squashfs of a version before 4.0", _UNPACK)),
    (0, b"\x3a\xff\x26\xed", Unreadable("an Android sparse image", "convert it first: simg2img")),
    (0, b"ANDROID!", Unreadable("an Android boot image", "unpack its ramdisk first: unpack_bootimg")),
    (0, b"\x27\x05\x19\x56", Unreadable("a U-Boot image", "extract the data first: dumpimage")),
    (0, b"\xd0\x0d\xfe\xed", Unreadable("a device tree or FIT image", "extract the data first: dumpimage")),
    (0, b"UBI#", Unreadable("a UBI image", "extract the volumes first: ubireader_extract_images")),
    (0, b"\x31\x18\x10\x06", Unreadable("a UBIFS image", "unpack it first: ubireader_extract_files")),
    (0, b"\x85\x19", Unreadable("a JFFS2 image", _UNPACK)),
    (0, b"QFI\xfb", Unreadable("a QCOW2 disk image", _CONVERT)),
    (0, b"KDMV", Unreadable("a VMDK disk image", _CONVERT)),
    (0, b"conectix", Unreadable("a VHD disk image", _CONVERT)),
    (0, b"XFSB", Unreadable("an XFS file system", _MOUNT)),
    (0, b"PK\x03\x04", Unreadable("a ZIP file", _UNPACK)),
    (0, b"BZh", Unreadable("a bzip2 file", "unpack it first: bunzip2")),
    (0, b"\x04\x22\x4d\x18", Unreadable("an LZ4 file", "unpack it first: lz4 -d")),
    (0, b"\x02\x21\x4c\x18", Unreadable("an LZ4 file", "unpack it first: lz4 -d")),
    (0, b"\x89LZO\0", Unreadable("an LZO file", "unpack it first: lzop -d")),
    (0, b"\x5d\x00\x00", Unreadable("an LZMA file", "unpack it first: xz -d")),
    (0, b"\x45\x3d\xcd\x28", Unreadable("a cramfs image", "unpack it first: fsck.cramfs --extract")),
    (0, b"-rom1fs-", Unreadable("a romfs image", _MOUNT)),
    (1024, b"\x10\x20\xf5\xf2", Unreadable("an F2FS file system", _MOUNT)),
    (_BTRFS_MAGIC, b"_BHRfS_M", Unreadable("a Btrfs file system", _MOUNT)),
    (4086, b"SWAPSPACE2", Unreadable("swap space", "pass the root filesystem")),
    (32769, b"CD001", Unreadable("an ISO 9660 image", "unpack it first: bsdtar -x")),
    (54, b"FAT1", Unreadable("a FAT file system", "pass the root filesystem; this one usually holds boot files")),
    (82, b"FAT32", Unreadable("a FAT file system", "pass the root filesystem; this one usually holds boot files")),
)


def filesystem_in(storage: Storage) -> Filesystem | None:
    """Return the file system in ``storage``, or None if there is none that can be read. Raises MalformedError."""
    start = start_of(storage, _START)
    for offset, magic, reader in _READERS:
        if start.startswith(magic, offset):
            return reader(storage)
    return None


def unreadable_in(storage: Storage) -> Unreadable | None:
    """Return the known but unsupported format of ``storage``, or None."""
    start = start_of(storage, _START)
    return next((found for offset, magic, found in _OTHERS if start.startswith(magic, offset)), None)


def name_in(start: bytes) -> str:
    """Return the name of the file system that begins with these bytes; empty if it is not supported."""
    names = ("squashfs", "erofs", "ext")
    found = (name for name, (offset, magic, _) in zip(names, _READERS, strict=True) if start.startswith(magic, offset))
    return next(found, "")
