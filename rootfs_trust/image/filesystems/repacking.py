"""Writes a changed squashfs or erofs: unpacks the tree, applies the changes, and runs the program that packs the
format.

The tree is unpacked into a temporary directory: as root with everything, else under ``fakeroot``, which keeps owners
and device nodes but no extended attributes. ``sqfstar`` and ``mkfs.erofs --tar`` need neither, but sqfstar 4.5 loses
the time of the root directory, and mkfs.erofs reads no tar before version 1.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from rootfs_trust.errors import IMAGE, InputError
from rootfs_trust.image.filesystems.as_tar import Pieces, tar_stream
from rootfs_trust.image.filesystems.open import FilesystemImage
from rootfs_trust.image.filesystems.programs import find_program, run_program, work_directory
from rootfs_trust.image.layer_entries import ImageChanges

_DIRECTORY, _OWNERS = "root", "owners"


class Packer(NamedTuple):
    """The command that packs a format. ``{directory}`` and ``{image}`` in it are replaced by paths.

    ``clamp`` is SOURCE_DATE_EPOCH, for programs that take the time of the image from it.
    """

    program: str
    package: str
    words: tuple[str, ...]
    clamp: int | None = None


def pack_again(
    image: FilesystemImage, pieces: Pieces, changes: ImageChanges, packer: Packer, staged: str, dest: str
) -> None:
    """Write ``image`` with ``changes`` to ``staged``. Raises InputError, or ApplyError with the path ``dest``."""
    program = find_program(packer.program, packer.package, image.path)
    tar = find_program("tar", "tar", image.path)
    is_root = os.geteuid() == 0
    fakeroot = "" if is_root else find_program("fakeroot", "fakeroot", image.path)
    if not is_root:
        _refuse_attributes(image)
    paths = {"directory": _DIRECTORY, "image": os.path.abspath(staged)}
    pack = [program, *(paths.get(word[1:-1], word) if word.startswith("{") else word for word in packer.words)]
    attributes = ["--xattrs", "--xattrs-include=*"] if is_root else []
    unpack = [tar, *attributes, "--numeric-owner", "--same-owner", "-xpf", "-", "-C", _DIRECTORY]
    with work_directory() as work:
        os.mkdir(os.path.join(work, _DIRECTORY))

        def run(words: list[str], option: str, stdin: Iterable[bytes]) -> None:
            before = [fakeroot, option, _OWNERS, "--"] if fakeroot else []
            now = {} if packer.clamp is None else {"SOURCE_DATE_EPOCH": str(packer.clamp)}
            run_program([*before, *words], directory=work, path=dest, stdin=stdin, environment=now)

        run(unpack, "-s", tar_stream(image.view, pieces, changes))
        run(pack, "-i", ())


def _refuse_attributes(image: FilesystemImage) -> None:
    for place, inode in image.view.walk():
        if image.view.attributes(inode):
            name = image.view.filesystem.name
            message = f"has extended attributes ({place}), which only root can write into a {name} image"
            raise InputError(IMAGE(image.path, message, "run the same command as root"))


def newest_of(image: FilesystemImage, changes: ImageChanges) -> int:
    """Return the latest modification time in the new image."""
    new = (entry.mtime for entry in (*changes.entries.values(), *changes.directories.values()))
    return max([image.view.newest, *new])
