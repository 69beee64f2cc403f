"""Writes a changed erofs with ``mkfs.erofs`` and the parameters of the source."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator
from uuid import UUID

from rootfs_trust.errors import TOOL_MISSING, InputError
from rootfs_trust.image.filesystems.erofs import CHUNKS, COMPACT_INDEX, FULL_INDEX, Erofs, RawInode
from rootfs_trust.image.filesystems.open import FilesystemImage
from rootfs_trust.image.filesystems.programs import find_program, run_program, work_directory
from rootfs_trust.image.filesystems.repacking import Packer, newest_of, pack_again
from rootfs_trust.image.layer_entries import ImageChanges

PACKAGE = "erofs-utils"

_COMPRESSORS = ("lz4hc", "lzma", "deflate", "zstd")
_CHECKSUM = 0x1
_WORD = re.compile(r"(?<!\S)-?[a-z0-9]+")
"""The names of options and compressors in the help text of mkfs.erofs."""


class ErofsWriter:
    """Writes the image ``image`` with changes."""

    def __init__(self, image: FilesystemImage, filesystem: Erofs, dest: str) -> None:
        self._image = image
        self._filesystem = filesystem
        self._dest = dest

    def write(self, changes: ImageChanges, staged: str, timestamp: int | None) -> None:
        """Write the changed image to ``staged``. Raises InputError or ApplyError."""
        # mkfs.erofs makes no entry newer than the image, so the image may not be older than an entry.
        time = self._filesystem.superblock.time if timestamp is None else timestamp
        options = tuple(self.options())
        self._refuse_missing(options)
        words = (*options, "{image}", "{directory}")
        packer = Packer("mkfs.erofs", PACKAGE, words, max(time, newest_of(self._image, changes)))
        pack_again(self._image, self._filesystem.pieces, changes, packer, staged, self._dest)

    def _refuse_missing(self, options: Iterable[str]) -> None:
        """Raise InputError if mkfs.erofs is too old for ``options``."""
        program = find_program("mkfs.erofs", PACKAGE, self._image.path)
        with work_directory() as directory:
            text = run_program([program, "--help"], directory=directory, path=self._dest)
        known = frozenset(_WORD.findall(text))
        for option in options:
            missing = option[2:] if option.startswith("-z") and option[2:] not in known else ""
            if option.startswith("-b") and "-b" not in known:
                missing = f"blocks of {option[2:]} bytes"
            if missing:
                hint = "install erofs-utils 1.8 or later, with every compressor"
                message = f"needs a mkfs.erofs with {missing} to be written"
                raise InputError(TOOL_MISSING(self._image.place, message, hint))

    def options(self) -> Iterator[str]:
        """Yield the options with which mkfs.erofs creates an image like the source."""
        super_ = self._filesystem.superblock
        yield from ("--preserve-mtime", "-U", str(UUID(bytes=super_.uuid)))
        if super_.block_size != 4096:
            yield f"-b{super_.block_size}"
        files = [self._filesystem.raw(inode.number) for _, inode in self._image.view.walk() if stat.S_ISREG(inode.mode)]
        yield from self._layout(files)
        if super_.volume:
            yield from ("-L", super_.volume)

    def _layout(self, files: list[RawInode]) -> Iterator[str]:
        """Yield the options for the file layout: compression, cluster size and further features."""
        extended = [] if self._filesystem.superblock.compatible & _CHECKSUM else ["nosbcrc"]
        packed = [self._filesystem.compressed(raw) for raw in files if raw.layout in (FULL_INDEX, COMPACT_INDEX)]
        if any(each.has_fragment for each in packed) and self._filesystem.fragments is not None:
            packed.append(self._filesystem.fragments)
        if packed:
            yield f"-z{_COMPRESSORS[max(each.algorithm for each in packed)]}"
            yield f"-C{max(self._filesystem.superblock.block_size, *(each.largest for each in packed))}"
            layouts = {raw.layout for raw in files}
            extended += ["legacy-compress"] if COMPACT_INDEX not in layouts else []
            extended += ["ztailpacking"] if any(each.has_tail for each in packed) else []
            extended += ["fragments"] if any(each.has_fragment for each in packed) else []
        if extended:
            yield f"-E{','.join(extended)}"
        chunks = [raw.union & 0x1F for raw in files if raw.layout == CHUNKS]
        if chunks:
            yield f"--chunksize={self._filesystem.superblock.block_size << max(chunks)}"
