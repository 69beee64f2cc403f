"""Access to a root filesystem on disk. Paths are resolved inside the root, one component at a time, with descriptors.

Guarantees:

- Every directory is opened from the descriptor of the root in steps that follow no link (``O_NOFOLLOW``).
- A link is read and resolved as on the device after ``chroot``: an absolute one starts at the root, ``..`` at the root
  stays there, and more than 40 links are a loop.
- A link that another program swaps during the run can change which path inside the root is reached, but never lead
  outside.
- Only regular files are opened, without blocking, and at most :data:`MAX_FILE` bytes of a file are read.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections import OrderedDict
from types import TracebackType

from rootfs_trust.errors import LOCK, ROOT, TOO_LARGE, UNREADABLE, InputError
from rootfs_trust.rootfs.descriptor_calls import kind_of, mount_of, read_extended_attributes, read_file
from rootfs_trust.rootfs.open_path import Walk, close
from rootfs_trust.rootfs.view import (
    NO_ENVIRONMENT,
    Directory,
    File,
    Node,
    Owner,
    Special,
    Symlink,
    as_bytes,
    as_text,
    join,
    parent,
)

MAX_FILE = 64 * 1024 * 1024
"""Maximum size of a file in bytes. A bundle of 10,000 certificates has about a quarter of it."""

_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)

MAX_OPEN = 48
"""Maximum number of cached directory descriptors. The default limit is 1,024 per process; a fleet has 16 trees open."""

_OUT_OF_FILES = "raise the limit of open files: ulimit -n"
_HINTS = {
    errno.EMFILE: _OUT_OF_FILES,
    errno.ENFILE: _OUT_OF_FILES,
    errno.EIO: "check the disk",
    errno.ENOMEM: "give the process more memory",
}

_HINT_OTHERS = "does another program write into the rootfs at the same time?"

_KINDS: dict[int, type[Node]] = {stat.S_IFREG: File, stat.S_IFLNK: Symlink, stat.S_IFDIR: Directory}
_SPECIAL = {stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


class RootDirectory:
    """A root filesystem on disk, as the device sees it. Implements :class:`~rootfs_trust.rootfs.view.View`."""

    environment = NO_ENVIRONMENT

    def __init__(self, directory: str) -> None:
        try:
            self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(ROOT(directory, f"cannot be opened as a directory: {error.strerror}")) from error
        self.directory = directory
        self._directories: OrderedDict[str, tuple[int, str] | None] = OrderedDict()
        """Cache: descriptor and real path of directories, the most recent last; None if a path is not a directory."""
        self._open = 0
        self._names: dict[str, list[str]] = {}
        self._kinds: dict[str, type[Node]] = {}
        self._links: dict[str, Symlink] = {}
        self._statuses: dict[str, os.stat_result | None] = {}
        self._locked: list[int] = []

    def __enter__(self) -> RootDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every descriptor. The object cannot be used afterwards."""
        self.forget()
        for fd in (self.fd, *self._locked, *(folder[0] for folder in self._directories.values() if folder)):
            close(fd)
        self._directories, self._locked, self._open = OrderedDict(), [], 0

    def lock(self, *folders: str, wait: bool = True) -> None:
        """Lock the root, or the given ``folders``, exclusively. Waits for other runs. The lock leaves no file.

        :meth:`close`, or the end of the process, releases it. Raises InputError. Without ``wait``, this is also raised
        if another run has the lock, with a BlockingIOError as its cause.
        """
        for path in folders or ("/",):
            fd = self.open_directory(path)
            try:
                self._locked.append(os.open(".", _LIST, dir_fd=self.fd if fd is None else fd))
                fcntl.flock(self._locked[-1], fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except OSError as error:
                raise InputError(LOCK(path, f"cannot be locked: {error.strerror}")) from error

    def lock_for_reading(self) -> None:
        """Lock the root for reading. Waits for a run that writes, but not for other readers.

        On a file system without locks, continue without one.
        """
        with contextlib.suppress(OSError):
            fcntl.flock(self.fd, fcntl.LOCK_SH)

    def try_lock(self) -> bool:
        """Like :meth:`lock`, but return False immediately if another run has the lock."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock_hash_directory(self, path: str, *, wait: bool = True) -> None:
        """Lock the hash directory, because ``rehash`` locks only directories and not roots.

        Call it after locking the root. A process locks only one hash directory this way, so there is no deadlock.
        """
        # A lock of the root itself, by a second descriptor, would wait for the first one.
        if path and self.kind(path) is Directory and self.real_path(path) != "/":
            self.lock(path, wait=wait)

    @property
    def owner(self) -> Owner:
        """The owner of the root directory itself."""
        try:
            status = os.fstat(self.fd)
        except OSError as error:
            raise _unreadable("/", error) from error
        return Owner(status.st_uid, status.st_gid)

    # -- resolving ---------------------------------------------------------------------------------------

    def open_directory(self, path: str) -> int | None:
        """Return the descriptor (``O_PATH``) of the directory at ``path``, or None.

        This object owns it and may close it after :data:`MAX_OPEN` more, so use it at once or duplicate it.
        """
        found = self._directory(path)
        return found[0] if found else None

    def forget(self, *paths: str) -> None:
        """Clear the cache, or only its entries for ``paths``.

        Until then results are cached, except file contents. The cache is keyed by the path as given: the same file
        reached through a symlinked directory is a separate entry.
        """
        if paths:
            for path in (*paths, *map(parent, paths)):
                for seen in (self._names, self._kinds, self._links, self._statuses):
                    seen.pop(path, None)
        else:
            self._names, self._kinds, self._links, self._statuses = {}, {}, {}, {}
        missing = [path for path, found in self._directories.items() if found is None]
        for path in missing:
            del self._directories[path]

    def place(self, path: str) -> tuple[int, bytes] | None:
        """Return the descriptor of the parent directory of ``path``, and the name of the entry in it, or None."""
        head, _, name = path.rpartition("/")
        if name in (".", ".."):  # not a name in a directory; at the root, the host would look outside
            head, name = path, ""
        found = self._directory(head or "/")
        return (found[0], as_bytes(name)) if found and "\0" not in name else None

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        walk = Walk(self.fd)
        try:
            return walk.to(path)
        except OSError as error:
            if error.errno not in _NOWHERE:
                raise _unreadable(path, error) from error
            return None
        finally:
            walk.close()

    def _directory(self, path: str) -> tuple[int, str] | None:
        if path == "/":
            return self.fd, "/"
        if path in self._directories:
            self._directories.move_to_end(path)
        else:
            self._directories[path] = found = self._resolve_directory(path)
            self._open += found is not None
            while self._open > MAX_OPEN:
                _, oldest = self._directories.popitem(last=False)
                if oldest:
                    close(oldest[0])
                    self._open -= 1
        return self._directories[path]

    def _resolve_directory(self, path: str) -> tuple[int, str] | None:
        walk = Walk(self.fd)
        try:
            real = walk.to(f"{path}/")
            return os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=walk.here), real
        except OSError as error:
            if error.errno not in _NOWHERE:
                raise _unreadable(path, error) from error
            return None
        finally:
            walk.close()

    # -- looking -----------------------------------------------------------------------------------------

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        known = self._kinds.get(path)
        if known is not None and not (follow and known is Symlink):
            return known
        found = self._status(path, follow)
        return None if found is None else _KINDS.get(stat.S_IFMT(found[1].st_mode), Special)

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`. Raises InputError for a file that is too large or cannot be read."""
        if self._kinds.get(path) is File and (place := self.place(path)):
            return self._file(*place, path)
        if not follow and (link := self._link(path)):
            return link
        found = self._status(path, follow)
        if found is None:
            return None
        real, status = found
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFREG:
            place = self.place(real)
            return self._file(*place, path) if place else None
        if kind == stat.S_IFDIR:
            return Directory(Owner(status.st_uid, status.st_gid), stat.S_IMODE(status.st_mode))
        if kind == stat.S_IFLNK:
            raise InputError(UNREADABLE(path, "became a link while it was read", _HINT_OTHERS))
        return Special(_SPECIAL[kind])

    def _link(self, path: str) -> Symlink | None:
        """Return the link at ``path`` with one system call, because a hash directory has thousands of them."""
        if path not in self._links and (place := self.place(path)) and place[1]:
            try:
                self._links[path] = Symlink(as_text(os.readlink(place[1], dir_fd=place[0])))
            except OSError as error:
                # EINVAL: not a link; stat(2) shows what it is.
                if error.errno not in (*_NOWHERE, errno.EINVAL):
                    raise _unreadable(path, error) from error
        return self._links.get(path)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`. A directory is listed once, until :meth:`forget`."""
        if path not in self._names:
            self._names[path] = self._list(path)
        return self._names[path]

    def _list(self, path: str) -> list[str]:
        fd = self.open_directory(path)
        if fd is None:
            return []
        try:
            listing = os.open(".", _LIST, dir_fd=fd)
            try:
                return self._entries(path, listing)
            finally:
                close(listing)
        except OSError as error:
            raise _unreadable(path, error) from error

    def _entries(self, path: str, listing: int) -> list[str]:
        with os.scandir(listing) as entries:
            # Listed by descriptor, the names are in the host's encoding.
            kinds = {os.fsencode(each.name): kind_of(each) for each in entries}
        names = {as_text(name): kinds[name] for name in sorted(kinds)}
        self._kinds.update((join(path, name), kind) for name, kind in names.items())
        return list(names)

    def extended_attributes(self, path: str) -> dict[str, bytes]:
        """Implements :meth:`View.extended_attributes`. Empty if the file system does not support them."""
        place = self.place(path)
        try:
            return {} if place is None else read_extended_attributes(*place)
        except OSError as error:
            raise _unreadable(path, error) from error

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`. False if /proc is not mounted."""
        place = self.place(path)
        try:
            return place is not None and mount_of(place[0], b".") != mount_of(*place)
        except OSError:
            return False

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        found = self._status(path, follow=True)
        return None if found is None else int(found[1].st_mtime)

    def _status(self, path: str, follow: bool) -> tuple[str, os.stat_result] | None:
        """Return the status of ``path`` and its real path. A final link is followed inside the root."""
        if path not in self._statuses:
            self._statuses[path] = self._looked_at(path)
        status = self._statuses[path]
        if status is None:
            return None
        if not (follow and stat.S_ISLNK(status.st_mode)):
            return path, status
        real = self.real_path(path)
        return None if real is None else self._status(real, follow=False)

    def _looked_at(self, path: str) -> os.stat_result | None:
        place = self.place(path)
        if place is None:
            return None
        try:
            return os.stat(place[1] or b".", dir_fd=place[0], follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NOWHERE:
                raise _unreadable(path, error) from error
            return None

    @staticmethod
    def _file(folder: int, name: bytes, path: str) -> File:
        try:
            status, content = read_file(folder, name, MAX_FILE)
        except OSError as error:
            raise _unreadable(path, error) from error
        if content is None:
            raise InputError(UNREADABLE(path, "was replaced while it was read, and is no longer a file", _HINT_OTHERS))
        if len(content) > MAX_FILE:
            raise too_large(path, MAX_FILE)
        return File(content, Owner(status.st_uid, status.st_gid), stat.S_IMODE(status.st_mode))


def too_large(path: str, limit: int) -> InputError:
    """Return the error for a file of more than ``limit`` bytes, in a tree of any form."""
    hint = "a trust store is smaller; move the file out of the store's directories"
    return InputError(TOO_LARGE(path, f"is larger than {limit} bytes", hint))


def _unreadable(path: str, error: OSError) -> InputError:
    hint = _HINTS.get(error.errno or 0, "run as a user who can read the whole tree")
    return InputError(UNREADABLE(path, f"cannot be read: {error.strerror}", hint))
