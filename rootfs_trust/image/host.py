"""Image files on the host: what a path holds, and results put in place whole. The one module here that opens files."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping

from rootfs_trust.errors import ApplyError, ConflictError, InputError, MalformedError, Trouble
from rootfs_trust.image.archive import end_of_archive, plain_header
from rootfs_trust.image.model import Files
from rootfs_trust.image.streams import PIECE, Blob, of_file, packed, section, unpacked
from rootfs_trust.image.tree import Layer, Tree
from rootfs_trust.rootfs.nodes import File
from rootfs_trust.rootfs.plan import STAGED_PREFIX

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def read_file(path: str, offset: int = 0) -> Iterator[bytes]:
    """A regular file of the host from ``offset`` on. Raises InputError."""
    try:
        fd = os.open(path, _OPEN)
        with open(fd, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InputError(Trouble("image", path, "is no regular file", "give an archive, or a folder"))
            file.seek(offset)
            yield from of_file(file)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: OSError) -> InputError:
    """A file of the host that cannot be read."""
    hint = "check the path and its permissions"
    return InputError(Trouble("unreadable", path, f"cannot be read: {error.strerror}", hint))


class FolderFiles:
    """The files in a folder, by their paths in it. Implements :class:`~rootfs_trust.image.model.Files`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def blob(self, name: str) -> Blob | None:
        """See :class:`Files`."""
        path = os.path.join(self.path, name)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(Trouble("image", path, "is no regular file", "get or build the image anew"))
        return Blob(lambda offset: read_file(path, offset), status.st_size, host_path=path)


class ArchiveFiles:
    """The files in a tar archive, by their paths in it. Implements :class:`~rootfs_trust.image.model.Files`.

    They are read where they are; if the archive is packed, it is unpacked up to there each time.
    """

    def __init__(self, path: str, kind: str, tree: Tree) -> None:
        self.path = path
        self._kind = kind
        self._tree = tree

    def blob(self, name: str) -> Blob | None:
        """See :class:`Files`."""
        entry = self._tree.entry(name)
        if entry is None:
            return None
        if entry.kind is not File or entry.size is None:
            raise InputError(Trouble("image", f"{self.path}:{name}", "is no regular file", "get the image anew"))
        start, size = entry.offset, entry.size
        return Blob(lambda offset: section(*self._from(start + offset), size - offset), size)

    def _from(self, offset: int) -> tuple[Iterator[bytes], int]:
        """A stream, and where in it the bytes from ``offset`` on begin."""
        if self._kind:
            return unpacked(read_file(self.path))[1], offset
        return read_file(self.path, offset), 0


def archive_layer(path: str) -> tuple[str, Layer]:
    """How the archive at ``path`` is packed, and its stream of entries. Raises InputError."""
    try:
        kind, _ = unpacked(read_file(path))
    except MalformedError as error:
        raise InputError(Trouble("image", path, error.message, "get or build it anew")) from error
    return kind, Layer(path, lambda: unpacked(read_file(path))[1])


# -- results ---------------------------------------------------------------------------------------------


def put_file(dest: str, stream: Iterable[bytes]) -> bool:
    """Write the file ``dest`` whole, or not at all; whether it was not there before.

    One that holds the same already stays; with other content it is in the way (ConflictError).
    """
    staged = _staged(dest)
    with _writing(dest, lambda: _remove_file(staged)):
        with open(staged, "xb") as file:
            for piece in stream:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        new = not os.path.lexists(dest)
        if new:
            os.rename(staged, dest)
            _sync(os.path.dirname(staged))
        elif not _same_file(staged, dest):
            raise in_the_way(dest)
        return new


def put_folder(dest: str, parts: Mapping[str, Blob]) -> bool:
    """Write the folder ``dest`` with these files, whole or not at all; otherwise as :func:`put_file`."""
    if os.path.lexists(dest):
        if not _same_folder(dest, parts):
            raise in_the_way(dest)
        return False
    with staged_folder(dest) as staged:
        for name, blob in parts.items():
            _put_part(os.path.join(staged, name), blob, may_link=name.startswith("blobs/"))
    return True


@contextlib.contextmanager
def staged_folder(dest: str) -> Iterator[str]:
    """A new folder beside ``dest`` to be filled, which then takes its place; after any trouble it is gone."""
    staged = _staged(dest)
    with _writing(dest, lambda: shutil.rmtree(staged, ignore_errors=True)):
        os.mkdir(staged)
        yield staged
        _sync(staged)
        os.rename(staged, dest)
        _sync(os.path.dirname(staged))


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


def _put_part(path: str, blob: Blob, *, may_link: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if may_link and blob.host_path is not None and not os.path.islink(blob.host_path):
        # What a digest names never changes: the same file will do, where it is on the same disk.
        with contextlib.suppress(OSError):
            os.link(blob.host_path, path)
            return
    with open(path, "xb") as file:
        for piece in blob.start(0):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _writing(dest: str, discard: Callable[[], None]) -> Iterator[None]:
    """Whatever goes wrong, nothing that is half written stays. Trouble with the disk becomes ApplyError."""
    discard()
    try:
        yield
    except MalformedError as error:
        raise InputError(Trouble("image", dest, f"not written: the source {error.message}")) from error
    except OSError as error:
        hint = "mend the cause and run the same command again"
        raise ApplyError(Trouble("apply", dest, f"cannot be written: {error.strerror}", hint)) from error
    finally:
        discard()


def in_the_way(dest: str) -> ConflictError:
    """DEST is there, and is not what would be written."""
    hint = "name another place, or move it away; nothing is overwritten"
    return ConflictError(Trouble("conflict", dest, "is there already, and is something else", hint))


def _staged(dest: str) -> str:
    folder, name = os.path.split(os.path.abspath(dest))
    return os.path.join(folder, f"{STAGED_PREFIX}{name}")


def _remove_file(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _same_file(one: str, other: str) -> bool:
    if not os.path.isfile(other) or os.stat(one).st_size != os.stat(other).st_size:
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        return all(piece == second.read(PIECE) for piece in iter(lambda: first.read(PIECE), b""))


def _same_folder(dest: str, parts: Mapping[str, Blob]) -> bool:
    """Whether ``dest`` has all these files, those that are small with the same bytes: the others have digests."""
    files: Files = FolderFiles(dest)
    return os.path.isdir(dest) and all(_same_blob(files.blob(name), blob) for name, blob in parts.items())


def _same_blob(there: Blob | None, wanted: Blob) -> bool:
    if there is None or there.size != wanted.size:
        return False
    return wanted.size > PIECE or there.read(PIECE) == wanted.read(PIECE)
