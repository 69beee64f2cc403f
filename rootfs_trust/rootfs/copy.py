"""Copy and remove whole root filesystems with directory descriptors.

Follows no link, not even one that replaces an entry during the run. Handles trees of any depth.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass

from rootfs_trust.errors import APPLY, UNREADABLE, USAGE, ApplyError, InputError
from rootfs_trust.rootfs.descriptor_calls import attributes_of_descriptor, path_by_descriptor, read_extended_attributes
from rootfs_trust.rootfs.open_path import Descent, close
from rootfs_trust.rootfs.view import as_text

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20

_LONG_PATH = 2000
"""Maximum length of a path for one system call, in bytes; the kernel's limit is 4,096."""


@dataclass(slots=True)
class _Directory:
    """A directory that is being copied: its name, its status, and the entries that are left to copy."""

    name: bytes
    status: os.stat_result
    left: list[bytes]


class TreeCopy:
    """Copy ``source`` into the empty directory ``dest``: owners, modes, times, attributes, hard links, devices, holes.

    Other users must not have access to ``dest``; the mode of the source is set last. Raises InputError if the source
    cannot be read, changes during the run or contains ``dest``. Raises ApplyError if an owner cannot be set, and
    OSError if the copy cannot be written.
    """

    def __init__(self, source: str, dest: str) -> None:
        self._source = source
        self._several: dict[tuple[int, int], bytes] = {}
        """For files with several names: the path of the copy below ``dest``, by device and inode."""
        self._way: list[_Directory] = []
        self._top = dest
        try:
            self._from = Descent(source, follow=True)
        except OSError as error:
            raise self._unreadable(error) from error

    def run(self) -> None:
        """Copy everything."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._from.close)
            self._to = Descent(self._top)
            stack.callback(self._to.close)
            self._dest = os.dup(self._to.fd)
            stack.callback(close, self._dest)
            self._enter(b"")
            while self._way:
                folder = self._way[-1]
                if folder.left:
                    self._entry(folder.left.pop())
                else:
                    self._leave()

    # -- directories -------------------------------------------------------------------------------------

    def _enter(self, name: bytes) -> None:
        """Push the current directory of the source to the stack, with the entries that are left to copy."""
        try:
            status, names = os.fstat(self._from.fd), self._from.names()
        except OSError as error:
            raise self._unreadable(error, name) from error
        if os.path.samestat(status, os.fstat(self._dest)):
            hint = "choose a DEST outside SOURCE; one of them may be a mount of the other"
            raise InputError(USAGE(self._shown(name), "DEST is inside SOURCE", hint))
        self._way.append(_Directory(name, status, names[::-1]))

    def _leave(self) -> None:
        """Set the attributes of the innermost copied directory, and go up."""
        folder = self._way.pop()
        self._take_over(self._from.fd, self._to.fd, folder.status)
        if self._way:
            self._to.up()
            try:
                self._from.up()
            except OSError as error:
                raise self._unreadable(error) from error

    def _down(self, name: bytes) -> None:
        os.mkdir(name, 0o700, dir_fd=self._to.fd)
        try:
            self._from.down(name)
        except OSError as error:
            raise self._unreadable(error, name) from error
        self._to.down(name)
        self._enter(name)

    # -- entries -----------------------------------------------------------------------------------------

    def _entry(self, name: bytes) -> None:
        try:
            status = os.stat(name, dir_fd=self._from.fd, follow_symlinks=False)
        except OSError as error:
            raise self._unreadable(error, name) from error
        inode = status.st_dev, status.st_ino
        if stat.S_ISDIR(status.st_mode):
            self._down(name)
            return
        if inode in self._several:
            self._link(self._several[inode], name)
            return
        if status.st_nlink > 1:
            self._several[inode] = self._path(name)
        if stat.S_ISREG(status.st_mode):
            self._file(name, status)
        else:
            self._other(name, status)

    def _link(self, other: bytes, name: bytes) -> None:
        """Create a hard link to the file at ``other``, a path below ``dest`` that may be too long for one call.

        Its directories are trusted: until the copy is complete, no other user has access to it.
        """
        fd = os.dup(self._dest)
        try:
            while len(other) > _LONG_PATH:
                cut = other.rindex(b"/", 0, _LONG_PATH)
                fd, old = os.open(other[:cut], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd), fd
                close(old)
                other = other[cut + 1 :]
            os.link(other, name, src_dir_fd=fd, dst_dir_fd=self._to.fd, follow_symlinks=False)
        finally:
            close(fd)

    def _file(self, name: bytes, status: os.stat_result) -> None:
        try:
            old = os.open(name, _READ, dir_fd=self._from.fd)
        except OSError as error:
            raise self._unreadable(error, name) from error
        try:
            found = os.fstat(old)
            if not stat.S_ISREG(found.st_mode) or not os.path.samestat(found, status):
                raise self._changed_during_run(name, "became something else while it was read")
            new = os.open(name, _CREATE, 0o600, dir_fd=self._to.fd)
            try:
                self._content(old, new, found.st_size, name)
                self._take_over(old, new, found)
            finally:
                os.close(new)
        finally:
            close(old)

    def _content(self, old: int, new: int, size: int, name: bytes) -> None:
        """Copy ``size`` bytes, with holes as holes, because a sparse file might fill the disk."""
        os.ftruncate(new, size)
        at = 0
        while at < size and (part := self._data(old, at, name)) is not None:
            at, end = part
            end = min(end, size)
            while at < end:
                try:
                    piece = os.pread(old, min(_PIECE, end - at), at)
                except OSError as error:
                    raise self._unreadable(error, name) from error
                if not piece:
                    raise self._changed_during_run(name, "became shorter while it was read")
                while piece:
                    written = os.pwrite(new, piece, at)
                    piece, at = piece[written:], at + written

    def _data(self, fd: int, at: int, name: bytes) -> tuple[int, int] | None:
        """Return the beginning and end of the next data at or after ``at``, or None if only a hole is left."""
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
            return start, os.lseek(fd, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return None
            raise self._unreadable(error, name) from error

    def _other(self, name: bytes, status: os.stat_result) -> None:
        """Copy a link, FIFO, socket or device without opening it."""
        to = self._to.fd
        try:
            attributes = read_extended_attributes(self._from.fd, name)
            text = os.readlink(name, dir_fd=self._from.fd) if stat.S_ISLNK(status.st_mode) else b""
        except OSError as error:
            raise self._unreadable(error, name) from error
        if stat.S_ISLNK(status.st_mode):
            os.symlink(text, name, dir_fd=to)
        else:
            os.mknod(name, status.st_mode, status.st_rdev, dir_fd=to)
        new = os.stat(name, dir_fd=to, follow_symlinks=False)
        if (new.st_uid, new.st_gid) != (status.st_uid, status.st_gid):
            self._set_owner(name, status)
        for key, value in attributes.items():
            os.setxattr(path_by_descriptor(to, name), key, value, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=to)
        times = status.st_atime_ns, status.st_mtime_ns
        os.utime(name, ns=times, dir_fd=to, follow_symlinks=False)

    def _take_over(self, old: int, new: int, status: os.stat_result) -> None:
        """Copy owner, attributes, mode and times of ``old`` to the open file or directory ``new``."""
        there = os.fstat(new)
        if (there.st_uid, there.st_gid) != (status.st_uid, status.st_gid):
            self._set_owner(new, status)
        try:
            attributes = attributes_of_descriptor(old)
        except OSError as error:
            raise self._unreadable(error) from error
        for key, value in attributes.items():
            os.setxattr(new, key, value)
        os.fchmod(new, stat.S_IMODE(status.st_mode))
        os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _set_owner(self, entry: int | bytes, status: os.stat_result) -> None:
        try:
            if isinstance(entry, int):
                os.fchown(entry, status.st_uid, status.st_gid)
            else:
                os.chown(entry, status.st_uid, status.st_gid, dir_fd=self._to.fd, follow_symlinks=False)
        except PermissionError as error:
            message = f"cannot be given to {status.st_uid}:{status.st_gid}: {error.strerror}"
            hint = "only root can keep owners in a copy; use a tar file of the tree instead"
            cause = APPLY(self._shown(b"" if isinstance(entry, int) else entry), message, hint)
            raise ApplyError(cause, written="nothing was written") from error

    # -- names and errors --------------------------------------------------------------------------------

    def _path(self, name: bytes) -> bytes:
        return b"/".join([*(folder.name for folder in self._way[1:]), *([name] if name else [])])

    def _shown(self, name: bytes) -> str:
        return os.path.join(self._source, as_text(self._path(name)))

    def _changed_during_run(self, name: bytes, message: str) -> InputError:
        hint = "does another program write into the root filesystem at the same time?"
        return InputError(UNREADABLE(self._shown(name), message, hint))

    def _unreadable(self, error: OSError, name: bytes = b"") -> InputError:
        if error.errno == errno.ESTALE:
            return self._changed_during_run(name, "was moved while it was read")
        hint = "run as a user who can read the whole tree"
        return InputError(UNREADABLE(self._shown(name), f"cannot be read: {error.strerror}", hint))


def remove_tree(path: str) -> None:
    """Remove the directory ``path`` and everything below it, at any depth and in directories without permissions.

    Raises OSError, or FileNotFoundError if it does not exist.
    """
    way = Descent(path)
    try:
        names, left = [b""], [_emptied(way)]
        while True:
            if left[-1]:
                names.append(left[-1].pop())
                way.down(names[-1])
                left.append(_emptied(way))
            elif len(names) > 1:
                way.up()
                os.rmdir(names.pop(), dir_fd=way.fd)
                left.pop()
            else:
                break
    finally:
        way.close()
    os.rmdir(path)


def _emptied(way: Descent) -> list[bytes]:
    """Remove all entries except directories from the current directory of ``way``, and return the directories."""
    folders = []
    if stat.S_IMODE(os.fstat(way.fd).st_mode) & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(way.fd, stat.S_IRWXU)
    for name in way.names():
        try:
            os.unlink(name, dir_fd=way.fd)
        except OSError as error:
            # unlink(2) says EISDIR for a directory on Linux, EPERM by POSIX.
            if error.errno not in (errno.EISDIR, errno.EPERM) or not _is_directory(way.fd, name):
                raise
            folders.append(name)
    return folders


def _is_directory(fd: int, name: bytes) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
