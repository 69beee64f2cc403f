"""Where a new image goes: written beside its place, and put there whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from rootfs_trust.errors import ApplyError, ConflictError, InputError, MalformedError, Trouble
from rootfs_trust.image.archive import end_of_archive, plain_header
from rootfs_trust.image.exchange import exchange
from rootfs_trust.image.host import FolderFiles
from rootfs_trust.image.streams import PIECE, Blob, packed
from rootfs_trust.rootfs.plan import STAGED_PREFIX

_HINT = "mend the cause and run the same command again"


@dataclass(frozen=True, slots=True)
class Destination:
    """The host path ``path``. What is there and holds the same already stays as it is.

    ``overwrite``: other content is replaced; else it is in the way. ``durable``: everything is on the disk before it
    gets its name; without it that is the caller's to see to, once for many.
    """

    path: str
    overwrite: bool = False
    durable: bool = True

    def put_file(self, stream: Iterable[bytes]) -> None:
        """Write a file. Raises ConflictError, InputError for a broken source, or ApplyError."""
        staged = self._staged()
        with _writing(self.path, lambda: _remove_file(staged)):
            with open(staged, "xb") as file:
                self._write(file, stream)
            if os.path.lexists(self.path) and _same_file(staged, self.path):
                os.unlink(staged)
                return
            if os.path.lexists(self.path) and not self.overwrite:
                raise in_the_way(self.path)
            os.rename(staged, self.path)
        with _written(self.path):
            self._sync(os.path.dirname(staged))

    def put_folder(self, parts: Mapping[str, Blob]) -> None:
        """Write a folder with these files; otherwise as :meth:`put_file`."""
        if os.path.lexists(self.path) and _same_folder(self.path, parts):
            with _written(self.path):
                _remove_folder(self._staged())
            return
        with self.staged_folder() as staged:
            for name, blob in parts.items():
                self._put_part(os.path.join(staged, name), blob, may_link=name.startswith("blobs/"))
            for folder in {os.path.dirname(name) for name in parts}:
                self._sync(os.path.join(staged, folder))

    @contextlib.contextmanager
    def staged_folder(self) -> Iterator[str]:
        """A new folder beside the place, to be filled; then it takes the place, and after any trouble it is gone."""
        staged = self._staged()
        if os.path.lexists(self.path) and not self.overwrite:
            raise in_the_way(self.path)
        with _writing(self.path, lambda: _remove_folder(staged)):
            os.mkdir(staged)
            yield staged
            self._sync(staged)
            _take_place(staged, self.path)
        with _written(self.path):
            self._sync(os.path.dirname(staged))
            _remove_folder(staged)

    def _put_part(self, path: str, blob: Blob, *, may_link: bool) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if may_link and blob.host_path is not None and not os.path.islink(blob.host_path):
            # What a digest names never changes: the same file will do, where it is on the same disk.
            with contextlib.suppress(OSError):
                os.link(blob.host_path, path)
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
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _staged(self) -> str:
        folder, name = os.path.split(os.path.abspath(self.path))
        return os.path.join(folder, f"{STAGED_PREFIX}{name}")


def as_archive(parts: Mapping[str, Blob], kind: str) -> Iterator[bytes]:
    """A tar archive of these files, with nothing in it that tells when or by whom it was made."""
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
def _writing(dest: str, discard: Callable[[], None]) -> Iterator[None]:
    """Whatever goes wrong, nothing that is half written stays. Trouble with the disk becomes ApplyError."""
    try:
        discard()
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):  # the next run sweeps it; the error itself is what counts
            discard()
        if isinstance(error, MalformedError):
            raise InputError(Trouble("image", dest, f"not written: the source {error.message}")) from error
        if isinstance(error, OSError):
            message = f"cannot be written: {error.strerror}; nothing was written"
            raise ApplyError(Trouble("apply", dest, message, _HINT)) from error
        raise


@contextlib.contextmanager
def _written(dest: str) -> Iterator[None]:
    """For what comes after the new image has its name. Trouble with the disk becomes ApplyError."""
    try:
        yield
    except OSError as error:
        what = f"could not be made safe on the disk, or the old one not removed: {error.strerror}"
        message = f"everything is written, but {what}"
        raise ApplyError(Trouble("apply", dest, message, _HINT)) from error


def in_the_way(dest: str) -> ConflictError:
    """DEST is there, and is not what would be written."""
    hint = "name another place, or move it away; nothing is overwritten"
    return ConflictError(Trouble("conflict", dest, "is there already, and is something else", hint))


def _remove_file(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _take_place(new: str, path: str) -> None:
    """Put the folder ``new`` at ``path``; what is there comes to be at ``new``, so that at no time neither is."""
    if not os.path.lexists(path):
        os.rename(new, path)
    elif not exchange(new, path):
        old = f"{new}.old"
        _remove_folder(old)
        os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            os.rename(old, path)
            raise
        os.rename(old, new)


def _remove_folder(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def _same_file(one: str, other: str) -> bool:
    if not os.path.isfile(other) or os.stat(one).st_size != os.stat(other).st_size:
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        return all(piece == second.read(PIECE) for piece in iter(lambda: first.read(PIECE), b""))


def _same_folder(dest: str, parts: Mapping[str, Blob]) -> bool:
    """Whether ``dest`` has all these files, those that are small with the same bytes: the others have digests."""
    files = FolderFiles(dest)
    return os.path.isdir(dest) and all(_same_blob(files.blob(name), blob) for name, blob in parts.items())


def _same_blob(there: Blob | None, wanted: Blob) -> bool:
    if there is None or there.size != wanted.size:
        return False
    return wanted.size > PIECE or there.read(PIECE) == wanted.read(PIECE)
