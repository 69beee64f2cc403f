"""Writes a changed squashfs with ``mksquashfs`` and the parameters of the source."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from rootfs_trust.image.filesystems.open import FilesystemImage
from rootfs_trust.image.filesystems.repacking import Packer, pack_again
from rootfs_trust.image.filesystems.squashfs import Squashfs
from rootfs_trust.image.layer_entries import ImageChanges

PACKAGE = "squashfs-tools"

_FLAGS = (
    (0x1, True, "-noI"),
    (0x2, True, "-noD"),
    (0x8, True, "-noF"),
    (0x10, True, "-no-fragments"),
    (0x20, True, "-always-use-fragments"),
    (0x40, False, "-no-duplicates"),
    (0x80, False, "-no-exports"),
    (0x100, True, "-noX"),
    (0x200, True, "-no-xattrs"),
    (0x800, True, "-noId"),
)
"""Flags of the superblock, each with the option of mksquashfs to use if it is set, and the option to use if it is not.
"""

_OPTIONS = 0x400
_FILTERS = ("x86", "powerpc", "ia64", "arm", "armthumb", "sparc")
_LZO = ("lzo1x_1", "lzo1x_1_11", "lzo1x_1_12", "lzo1x_1_15", "lzo1x_999")


class SquashfsWriter:
    """Writes the image ``image`` with changes."""

    def __init__(self, image: FilesystemImage, filesystem: Squashfs, dest: str) -> None:
        self._image = image
        self._filesystem = filesystem
        self._dest = dest

    def write(self, changes: ImageChanges, staged: str, timestamp: int | None) -> None:
        """Write the changed image to ``staged``. Raises InputError or ApplyError."""
        words = ("{directory}", "{image}", *self.options(timestamp))
        packer = Packer("mksquashfs", PACKAGE, words)
        pack_again(self._image, self._filesystem.pieces, changes, packer, staged, self._dest)

    def options(self, timestamp: int | None) -> Iterator[str]:
        """Yield the options with which mksquashfs creates an image like the source."""
        super_ = self._filesystem.superblock
        yield from ("-quiet", "-no-progress", "-exit-on-error", "-noappend")
        yield from ("-comp", super_.compressor, "-b", str(super_.block_size))
        yield from ("-mkfs-time", str(super_.time if timestamp is None else timestamp))
        yield from (option for flag, state, option in _FLAGS if bool(super_.flags & flag) is state)
        if super_.flags & _OPTIONS:
            yield from compressor_options(super_.compressor, self._filesystem.compressor_options())


def compressor_options(compressor: str, raw: bytes) -> Iterator[str]:
    """Yield the options of a compressor, as stored after the superblock.

    Source: squashfs-tools, the struct comp_opts of each *_wrapper.h.
    """
    if compressor == "gzip":
        level, window, strategies = unpack_from("<IHH", raw)
        yield from ("-Xcompression-level", str(level), "-Xwindow-size", str(window))
        names = ("default", "filtered", "huffman_only", "run_length_encoded", "fixed")
        if chosen := ",".join(name for bit, name in enumerate(names) if strategies >> bit & 1):
            yield from ("-Xstrategy", chosen)
    elif compressor == "xz":
        dictionary, filters = unpack_from("<II", raw)
        yield from ("-Xdict-size", str(dictionary))
        if chosen := ",".join(name for bit, name in enumerate(_FILTERS) if filters >> bit & 1):
            yield from ("-Xbcj", chosen)
    elif compressor == "lz4":
        yield from ("-Xhc",) if unpack_from("<II", raw)[1] & 1 else ()
    elif compressor == "zstd":
        yield from ("-Xcompression-level", str(unpack_from("<I", raw)[0]))
    elif compressor == "lzo":
        algorithm, level = unpack_from("<II", raw)
        if algorithm < len(_LZO):
            yield from ("-Xalgorithm", _LZO[algorithm])
            yield from ("-Xcompression-level", str(level)) if algorithm == len(_LZO) - 1 else ()
