"""The destination of a new image: written under a temporary name in the same directory, then renamed, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from rootfs_trust.errors import (
    APPLY,
    CONFLICT,
    IMAGE,
    USAGE,
    ApplyError,
    ConflictError,
    InputError,
    MalformedError,
)
from rootfs_trust.image.host_files import DirectoryFiles
from rootfs_trust.image.rename_exchange import exchange, rename_to_free_name
from rootfs_trust.image.streams import PIECE, Blob, checked, of_file, packed
from rootfs_trust.image.tar_rewriting import end_of_archive, plain_header
from rootfs_trust.rootfs.copy import remove_tree
from rootfs_trust.rootfs.plan import STAGED_PREFIX

_LONGEST_NAME = 200
"""Maximum length in bytes of a file name that can still get a prefix."""

_RESERVED = STAGED_PREFIX.rstrip("-")
_NEW, _OLD, _LOCK = STAGED_PREFIX, f"{_RESERVED}.old-", f"{_RESERVED}.lock-"
"""Prefixes of temporary names. As they are prefixes, no two destinations share a temporary name."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The host path ``path``. It is not written again if it already has the same content.

    ``overwrite``: other content is replaced; otherwise it is a conflict. ``durable``: data is synced before the rename;
    without it the caller syncs, once for many destinations.
    """

    path: str
    overwrite: bool = False
    durable: bool = True

    def refuse(self, *, folder: bool) -> None:
        """Raise InputError for a path that cannot be written. ``folder``: a directory is written, not a file."""
        if not self.path or (self.path.endswith("/") and not folder):
            hint = "SOURCE is a file, so DEST must be a file name"
            raise InputError(USAGE(self.path, "is not the name of a file", hint))
        if os.path.basename(os.path.abspath(self.path)).startswith(_RESERVED):
            message = f"begins with {_RESERVED}, as temporary files do"
            raise InputError(USAGE(self.path, message, "use another name"))

    def put_file(self, stream: Iterable[bytes]) -> str:
        """Write a file, and return its digest: ``sha256:HEX``.

        Raises ConflictError, InputError for a malformed source, or ApplyError.
        """
        state = hashlib.sha256(usedforsecurity=False)
        with self.staged_file() as staged, open(staged, "xb") as file:
            self._write(file, _update_digest(stream, state.update))
        return f"sha256:{state.hexdigest()}"

    @contextlib.contextmanager
    def staged_file(self) -> Iterator[str]:
        """Yield the path of a temporary file to create. It is then renamed to the destination, or deleted after an
        error.
        """
        staged = self._beside(_NEW)
        with self._exclusive(), _discard_on_error(self.path, lambda: _remove(staged)):
            yield staged
            if os.path.isfile(self.path):
                os.chmod(staged, stat.S_IMODE(os.stat(self.path).st_mode))
            if os.path.lexists(self.path) and _same_file(staged, self.path):
                os.unlink(staged)
                return
            self._sync(staged)
            self._take_place(staged)
            with _after_rename(self.path):
                self._sync(os.path.dirname(staged))

    def put_directory(self, parts: Mapping[str, Blob]) -> None:
        """Write a directory with these files; otherwise like :meth:`put_file`. Each has a digest, or is in memory."""
        with self._exclusive():
            if os.path.lexists(self.path) and _same_directory(self.path, parts):
                with _after_rename(self.path):
                    _remove(self._beside(_NEW))
                return
            with self._new_directory(0o777) as staged:
                for name, blob in parts.items():
                    self._put_part(os.path.join(staged, name), blob)
                for folder in {os.path.dirname(name) for name in parts}:
                    self._sync(os.path.join(staged, folder))

    @contextlib.contextmanager
    def staged_directory(self) -> Iterator[str]:
        """Yield a temporary directory to fill. It is then renamed to the destination, or deleted after an error.

        Only this user can open it, until its mode is changed.
        """
        with self._exclusive(), self._new_directory(0o700) as staged:
            yield staged

    @contextlib.contextmanager
    def _new_directory(self, mode: int) -> Iterator[str]:
        staged = self._beside(_NEW)
        if os.path.lexists(self.path) and not self.overwrite:
            raise existing_destination(self.path)
        with _discard_on_error(self.path, lambda: _remove(staged)):
            os.mkdir(staged, mode)
            yield staged
            self._sync(staged)
            self._take_place(staged)
        with _after_rename(self.path):
            self._sync(os.path.dirname(staged))
            for old in (staged, self._beside(_OLD)):
                _remove_entirely(old)

    def _take_place(self, new: str) -> None:
        """Rename ``new`` to the destination. An old directory is exchanged with it, so that one always exists.

        A file that somebody creates there during the run is a conflict.
        """
        if not self.overwrite:
            try:
                rename_to_free_name(new, self.path)
            except FileExistsError as error:
                raise existing_destination(self.path) from error
        elif not os.path.isdir(new) or not os.path.lexists(self.path):
            os.rename(new, self.path)
        elif not exchange(new, self.path):
            old = self._beside(_OLD)
            _remove(old)
            os.rename(self.path, old)
            try:
                os.rename(new, self.path)
            except OSError:
                os.rename(old, self.path)
                raise
            os.rename(old, new)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Wait until no other run writes here. The lock is a file next to the destination, and is deleted
        afterwards.
        """
        path = self._beside(_LOCK)
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, self._locked(path))
            try:
                yield
            finally:
                with contextlib.suppress(OSError):  # an empty file: the next run reuses it
                    _remove(path)

    def _locked(self, path: str) -> int:
        """Lock the file ``path`` and return its descriptor.

        If the file was deleted in the meantime, it is created again: its owner unlinks it before unlocking.
        """
        with contextlib.ExitStack() as stack:
            try:
                while True:
                    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                    stack.callback(os.close, fd)
                    fcntl.flock(fd, fcntl.LOCK_EX)
                    if _is_at(fd, path):
                        stack.pop_all()
                        return fd
                    stack.close()
            except OSError as error:
                raise _cannot_write(self.path, str(error.strerror)) from error

    def _put_part(self, path: str, blob: Blob) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if blob.digest and blob.link is not None and _try_link(blob.link, path):
            _check(path, blob.digest)
            return
        with open(path, "xb") as file:
            self._write(file, blob.start(0))

    def _write(self, file: BinaryIO, stream: Iterable[bytes]) -> None:
        for piece in stream:
            file.write(piece)
        file.flush()
        if self.durable:
            os.fsync(file.fileno())

    def _sync(self, folder: str) -> None:
        if not self.durable:
            return
        fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _beside(self, what: str) -> str:
        folder, name = os.path.split(os.path.abspath(self.path))
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = hashlib.sha256(os.fsencode(name), usedforsecurity=False).hexdigest()
        return os.path.join(folder, f"{what}{name}")


def as_archive(parts: Mapping[str, Blob], kind: str) -> Iterator[bytes]:
    """Yield a tar archive of these files, without anything that depends on the time or the user."""
    return packed(_members(parts), kind)


def _members(parts: Mapping[str, Blob]) -> Iterator[bytes]:
    size = 0
    for name, blob in parts.items():
        header = plain_header(name, blob.size)
        padding = bytes(-blob.size % 512)
        yield header
        yield from blob.start(0)
        yield padding
        size += len(header) + blob.size + len(padding)
    yield end_of_archive(size)


@contextlib.contextmanager
def _discard_on_error(dest: str, discard: Callable[[], None]) -> Iterator[None]:
    """Delete unfinished files after any error. OSError becomes ApplyError."""
    try:
        discard()
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):  # the next run deletes it; report the first error
            discard()
        if isinstance(error, MalformedError):
            raise InputError(IMAGE(dest, f"not written: the source {error.message}")) from error
        if isinstance(error, OSError):
            raise _cannot_write(dest, str(error.strerror)) from error
        raise


def _cannot_write(dest: str, reason: str) -> ApplyError:
    return ApplyError(APPLY(dest, f"cannot be written: {reason}"), written="nothing was written")


@contextlib.contextmanager
def _after_rename(dest: str) -> Iterator[None]:
    """Turn an OSError in a step after the rename into an ApplyError."""
    try:
        yield
    except OSError as error:
        what = f"could not be flushed to disk, or the old one could not be removed: {error.strerror}"
        raise ApplyError(APPLY(dest, f"all changes are written, but {what}")) from error


def existing_destination(dest: str) -> ConflictError:
    """Return the conflict for a destination with other content."""
    hint = "use another name, or move it away; nothing is overwritten"
    return ConflictError(CONFLICT(dest, "already exists with other content", hint))


def _is_at(fd: int, path: str) -> bool:
    """Return whether ``path`` is still a name of the open file."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _try_link(link: Callable[[str], None], path: str) -> bool:
    """Try to create a hard link to the old file, because content with the same digest is equal. Returns False across
    file systems.
    """
    try:
        link(path)
    except OSError:
        return False
    return True


def _check(path: str, digest: str) -> None:
    """Raise MalformedError unless the file has this digest. Symbolic links are not followed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MalformedError("became a link while it was read") from error
        raise
    with open(fd, "rb", buffering=0) as file:
        for _ in checked(of_file(file), digest, "its name"):
            pass


def _remove(path: str) -> None:
    """Remove a file or a directory tree, if it exists."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError:
        if os.path.islink(path) or not os.path.isdir(path):
            raise
        remove_tree(path)


def _remove_entirely(path: str) -> None:
    """Remove a file or a directory tree, even if a signal ends the run meanwhile. A second signal kills."""
    try:
        _remove(path)
    except SystemExit:
        with contextlib.suppress(OSError):  # the next run deletes it
            _remove(path)
        raise


def _same_file(one: str, other: str) -> bool:
    if not os.path.isfile(other) or os.stat(one).st_size != os.stat(other).st_size:
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        return all(piece == second.read(PIECE) for piece in iter(lambda: first.read(PIECE), b""))


def _same_directory(dest: str, parts: Mapping[str, Blob]) -> bool:
    """Return whether ``dest`` has all these files with equal content. Unreadable files and links do not count."""
    if not os.path.isdir(dest):
        return False
    try:
        files = DirectoryFiles(dest)
        return all(_same_blob(files.blob(name), blob) for name, blob in parts.items())
    except InputError:
        return False


def _same_blob(there: Blob | None, wanted: Blob) -> bool:
    if there is None or there.size != wanted.size:
        return False
    if not wanted.digest:
        return there.read(wanted.size) == wanted.read(wanted.size)
    try:
        for _ in there.with_digest(wanted.digest).start(0):
            pass
    except MalformedError:
        return False
    return True


def _update_digest(stream: Iterable[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in stream:
        update(piece)
        yield piece
