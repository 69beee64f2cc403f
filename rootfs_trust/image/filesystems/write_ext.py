"""Changes an ext file system in a copy of its image with ``debugfs -w``, and checks the result with ``e2fsck``."""

from __future__ import annotations

import os
import shutil

from rootfs_trust.errors import IMAGE, InputError, MalformedError
from rootfs_trust.image.filesystems.ext import Ext
from rootfs_trust.image.filesystems.ext_commands import Script, commands
from rootfs_trust.image.filesystems.open import FilesystemImage
from rootfs_trust.image.filesystems.programs import find_program, run_program, work_directory
from rootfs_trust.image.layer_entries import ImageChanges
from rootfs_trust.rootfs.view import Directory, File, Symlink

PACKAGE = "e2fsprogs"

_SHARED_BLOCKS = 0x4000
_SPARE_BLOCKS = 4
"""Number of free blocks to require for each directory that gets entries, and for the tables of each file (extents,
attributes).
"""


class ExtWriter:
    """Writes changes to ``image``, which contains an ext file system directly or in a partition."""

    def __init__(self, image: FilesystemImage, filesystem: Ext, dest: str) -> None:
        self._image = image
        self._filesystem = filesystem
        self._dest = dest
        self._debugfs = find_program("debugfs", PACKAGE, image.path)
        self._e2fsck = find_program("e2fsck", PACKAGE, image.path)

    def write(self, changes: ImageChanges, staged: str, timestamp: int | None) -> None:
        """Copy the image to ``staged`` and change the copy.

        Raises InputError if there is no space or a file is protected, and ApplyError if a program fails.
        """
        script = self._script(changes)
        shutil.copyfile(self._image.path, staged)
        with work_directory() as directory:
            # Use a name without special characters: debugfs treats text after a question mark as options.
            os.symlink(os.path.abspath(staged), os.path.join(directory, "image"))
            _put_files(directory, script)
            target = f"image?offset={self._image.start}" if self._image.start else "image"
            time = self._image.view.newest if timestamp is None else timestamp
            now = {"E2FSPROGS_FAKE_TIME": str(time), "SOURCE_DATE_EPOCH": str(time)}
            for words in ([self._debugfs, "-w", "-f", "commands", target], [self._e2fsck, "-fn", target]):
                run_program(words, directory=directory, path=self._dest, environment=now)

    def _script(self, changes: ImageChanges) -> Script:
        """Return the commands for the changes. Raises InputError if a change is impossible."""
        view, super_ = self._image.view, self._filesystem.superblock
        if super_.read_only & _SHARED_BLOCKS:
            raise self._refused("shares blocks between files, so nothing in it can be changed", "build it again")
        for place in (*changes.entries, *changes.gone):
            inode = view.inode(place, follow=False)
            if inode is not None and self._filesystem.is_verity(inode.number):
                hint = "install first, then enable fs-verity for the file"
                raise self._refused(f"has {place} protected by fs-verity, which a change would break", hint)
        self._check_space(changes)
        existing = {place for place in changes.entries if view.inode(place, follow=False) is not None}
        try:
            return commands(changes, existing)
        except MalformedError as error:
            raise self._refused(error.message, "rename it") from error

    def _check_space(self, changes: ImageChanges) -> None:
        super_ = self._filesystem.superblock
        size, blocks, inodes = super_.block_size, 0, 0
        for place, entry in changes.entries.items():
            content = len(entry.node.content) if isinstance(entry.node, File) else 0
            blocks += -(-content // size) + (_SPARE_BLOCKS if isinstance(entry.node, File | Directory) else 0)
            blocks += isinstance(entry.node, Symlink) and len(entry.node.points_to) >= 60
            inodes += self._image.view.inode(place, follow=False) is None
        blocks += _SPARE_BLOCKS * len(changes.directories)
        if blocks > super_.free_blocks or inodes > super_.free_inodes:
            there = f"{super_.free_blocks} blocks of {size} bytes and {super_.free_inodes} inodes"
            wanted = f"{blocks} blocks and {inodes} inodes"
            hint = "enlarge it first: truncate -s +64M and resize2fs; in Yocto, IMAGE_ROOTFS_EXTRA_SPACE"
            raise self._refused(f"has no space for the changes: they need up to {wanted}, and it has {there}", hint)

    def _refused(self, message: str, hint: str) -> InputError:
        return InputError(IMAGE(self._image.place, message, hint))


def _put_files(directory: str, script: Script) -> None:
    """Write the script for debugfs to ``directory``, with the files that its commands use."""
    lines = "".join(f"{line}\n" for line in script.lines)
    for name, content in (("commands", lines.encode()), *((f"f{n}", each) for n, each in enumerate(script.files))):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
