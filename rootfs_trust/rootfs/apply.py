"""Carry out a plan. An interrupted run leaves only complete files.

1. Create directories.
2. Write every file under a temporary name in its directory, with owner, mode and attributes, and sync it. Create links
   that need an owner or a time under a temporary name, too.
3. Rename files and create links in the order of the plan, and sync each changed directory.
4. Remove files, and sync their directories.

Existing files change only after all new bytes are on the disk, so a full disk is noticed in time. Nothing is removed
before its replacement is on disk.

To write many trees, call :meth:`Writer.stage` on all of them, sync once, call :meth:`Writer.publish` on all, and sync
again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from types import TracebackType

from rootfs_trust.errors import APPLY, OWNER, ApplyError, InputError, Problem
from rootfs_trust.rootfs.descriptor_calls import path_by_descriptor, read_extended_attributes
from rootfs_trust.rootfs.open_path import close
from rootfs_trust.rootfs.plan import SIGNATURES, STAGED_PREFIX, Action, Link, MakeDirectory, Plan, Put, Remove
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Owner, as_bytes, parent

_HINT = "no file is truncated; fix the cause and run the same command again"

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def apply(root: RootDirectory, plan: Plan, *, owner: Owner | None, timestamp: int | None) -> list[Problem]:
    """Carry out ``plan`` below ``root``, and return warnings.

    New entries are given to ``owner`` if the user may do that; None leaves them to the user. ``timestamp`` (seconds
    since 1970) is the modification time of everything that is written. Raises ApplyError, which says what was written
    and what was not, if the disk or the root filesystem fails during the run.
    """
    with Writer(root, plan, owner=owner, timestamp=timestamp) as writer:
        writer.stage()
        writer.publish()
        return writer.notes()


class Writer:
    """Carries out one plan: :meth:`stage`, then :meth:`publish`. Leaving the context deletes temporary files.

    With ``durable``, each file is synced before it is renamed, and all directories are synced when ``publish`` ends.
    Without it, the caller must sync the file system after ``stage`` and after ``publish``. Otherwise a power failure
    may leave empty files.
    """

    def __init__(
        self, root: RootDirectory, plan: Plan, *, owner: Owner | None, timestamp: int | None, durable: bool = True
    ) -> None:
        self._root = root
        self._actions = plan.actions
        self._owner = owner
        self._timestamp = timestamp
        self._durable = durable
        # Owners that the user may not set, in the order in which they were needed.
        self._withheld: dict[Owner, None] = {}
        self._staged: dict[str, tuple[int, bytes]] = {}
        self._done: list[str] = []
        self._directories: dict[str, int] = {}
        # The modes of new directories in which an ordinary user could not create the files. Set when these are written.
        self._read_only: dict[str, int] = {}

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder, staged in self._staged.values():
            with contextlib.suppress(OSError):
                _clear(folder, staged)
        for folder in self._directories.values():
            close(folder)

    def stage(self) -> None:
        """Create the new directories, and every file under a temporary name. Raises ApplyError."""
        for number, action in enumerate(self._actions):
            self._prepare(action, as_bytes(f"{STAGED_PREFIX}{number}"))

    def publish(self) -> None:
        """Rename the temporary files into place, and remove obsolete files. Raises ApplyError."""
        removals = tuple(action for action in self._actions if isinstance(action, Remove))
        self._carry_out(tuple(action for action in self._actions if not isinstance(action, Remove)), rest=removals)
        self._carry_out(removals, rest=())

    def _carry_out(self, actions: tuple[Action, ...], *, rest: tuple[Action, ...]) -> None:
        for action in actions:
            self._step(action, self._perform)
        for folder in self._changed_directories(actions):
            self._finish(folder, rest)

    def notes(self) -> list[Problem]:
        """Return warnings about the owners of new entries."""
        hint = "only root may change owners; set them when you build the image"
        warnings = [
            OWNER("", f"new entries that should belong to {owner.uid}:{owner.gid} belong to the caller", hint)
            for owner in self._withheld
        ]
        given = self._owner if self._owner not in self._withheld else None
        if given is not None and given != Owner(0, 0) and self._done:
            warnings.append(OWNER("", f"new entries belong to {given.uid}:{given.gid}, like the root directory"))
        return warnings

    # -- steps -------------------------------------------------------------------------------------------

    def _prepare(self, action: Action, staged: bytes) -> None:
        """Do the steps that change no existing entry: new directories, temporary files and links."""
        if isinstance(action, MakeDirectory):
            self._step(action, lambda directory: self._make_directory(directory, staged))
        elif isinstance(action, Put):
            self._step(action, lambda put: self._stage_file(put, staged), changes=False)
        elif isinstance(action, Link) and (action.replaces or self._owner or self._timestamp is not None):
            self._step(action, lambda link: self._stage_link(link, staged), changes=False)

    def _step(self, action: Action, perform: Callable[..., None], *, changes: bool = True) -> None:
        try:
            perform(action)
        except (OSError, InputError) as error:
            raise self._failed(action, _reason(error)) from error
        if changes:
            self._done.append(action.path)

    def _failed(self, action: Action, reason: str) -> ApplyError:
        written = f"{self._written_so_far()}; not written: this and all that comes after"
        return ApplyError(APPLY(action.path, f"{action.verb} failed: {reason}", _HINT), written=written)

    def _written_so_far(self) -> str:
        done = dict.fromkeys(self._done)
        return f"written before: {', '.join(done)}" if done else "nothing was written"

    def _perform(self, action: Action) -> None:
        folder, name = self._place(action.path)
        if action.path in self._staged:
            _, staged = self._staged[action.path]
            os.rename(staged, name, src_dir_fd=folder, dst_dir_fd=folder)
            del self._staged[action.path]
        elif isinstance(action, Link):
            self._make_link(action, folder, name)
        elif isinstance(action, Remove):
            _clear(folder, name)

    def _make_directory(self, action: MakeDirectory, staged: bytes) -> None:
        folder, name = self._place(action.path)
        _clear(folder, staged)
        self._staged[action.path] = folder, staged
        os.mkdir(staged, 0o700, dir_fd=folder)
        fd = os.open(staged, _OPEN_DIRECTORY, dir_fd=folder)
        try:
            self._set_owner(fd, action.node.owner or self._owner)
            os.fchmod(fd, self._mode_while_writing(action))
        finally:
            os.close(fd)
        os.rename(staged, name, src_dir_fd=folder, dst_dir_fd=folder)
        del self._staged[action.path]
        self._root.forget()

    def _mode_while_writing(self, action: MakeDirectory) -> int:
        """Return the mode of a new directory until its files are written."""
        mode = action.node.mode
        if os.geteuid() == 0 or mode & 0o300 == 0o300:
            return mode
        self._read_only[action.path] = mode
        return mode | 0o300

    def _stage_file(self, action: Put, staged: bytes) -> None:
        folder, name = self._place(action.path)
        # Registered before it exists, so that it is deleted after a signal at any moment.
        self._staged[action.path] = folder, staged
        fd = self._create(folder, staged)
        with open(fd, "wb") as file:
            file.write(action.node.content)
            file.flush()
            if not (action.replaces and self._take_over(folder, name, fd)):
                self._set_owner(fd, action.node.owner or self._owner)
                os.fchmod(fd, action.node.mode)
            self._set_time(fd)
            self._sync(fd)

    def _stage_link(self, action: Link, staged: bytes) -> None:
        folder, name = self._place(action.path)
        _clear(folder, staged)
        self._staged[action.path] = folder, staged
        self._make_link(action, folder, staged)
        if action.replaces:
            self._take_over_link(folder, name, staged)

    @staticmethod
    def _take_over_link(folder: int, name: bytes, staged: bytes) -> None:
        """Copy owner and attributes of the link ``name`` to the link ``staged``."""
        old = os.stat(name, dir_fd=folder, follow_symlinks=False)
        os.chown(staged, old.st_uid, old.st_gid, dir_fd=folder, follow_symlinks=False)
        for key, value in read_extended_attributes(folder, name).items():
            os.setxattr(path_by_descriptor(folder, staged), key, value, follow_symlinks=False)

    def _make_link(self, action: Link, folder: int, name: bytes) -> None:
        os.symlink(as_bytes(action.node.points_to), name, dir_fd=folder)
        self._set_owner_at(folder, name)
        if self._timestamp is not None:
            os.utime(name, (self._timestamp, self._timestamp), dir_fd=folder, follow_symlinks=False)

    @staticmethod
    def _changed_directories(actions: tuple[Action, ...]) -> list[str]:
        made = [action.path for action in actions if isinstance(action, MakeDirectory)]
        return list(dict.fromkeys([*(parent(action.path) for action in actions), *made]))

    def _finish(self, path: str, rest: tuple[Action, ...]) -> None:
        """Set the time of a changed directory, and sync it. ``rest`` are the actions that follow."""
        try:
            folder, _ = self._place(f"{path}/")
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                if path in self._read_only:
                    os.fchmod(fd, self._read_only[path])
                self._set_time(fd)
                self._sync(fd)
            finally:
                os.close(fd)
        except (OSError, InputError) as error:
            left = f"{self._written_so_far()}; not done: removals" if rest else "all changes are written"
            cause = APPLY(path, f"cannot be flushed to disk: {_reason(error)}", _HINT)
            raise ApplyError(cause, written=left) from error

    def _sync(self, fd: int) -> None:
        if self._durable:
            os.fsync(fd)

    # -- attributes --------------------------------------------------------------------------------------

    def _take_over(self, folder: int, name: bytes, fd: int) -> bool:
        """Copy owner, mode and attributes, except signatures, of the regular file ``name`` to the file ``fd``. Return
        False if ``name`` is not a regular file.
        """
        old = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(old.st_mode):
            return False
        new = os.fstat(fd)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(fd, old.st_uid, old.st_gid)
        # Before the mode: an ordinary user may not set attributes of a file that is read-only.
        for key, value in read_extended_attributes(folder, name).items():
            if key not in SIGNATURES:
                os.setxattr(fd, key, value)
        os.fchmod(fd, stat.S_IMODE(old.st_mode))
        return True

    def _set_owner(self, fd: int, owner: Owner | None) -> None:
        """Give a new entry to ``owner``, or record that the user may not do that."""
        if owner is not None:
            with self._recording_refused_owner(owner):
                os.fchown(fd, owner.uid, owner.gid)

    def _set_owner_at(self, folder: int, name: bytes) -> None:
        if self._owner is not None:
            with self._recording_refused_owner(self._owner):
                os.chown(name, self._owner.uid, self._owner.gid, dir_fd=folder, follow_symlinks=False)

    @contextlib.contextmanager
    def _recording_refused_owner(self, owner: Owner) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # EINVAL: the user namespace has no mapping for this owner (user_namespaces(7)).
            if error.errno not in (errno.EPERM, errno.EINVAL):
                raise
            self._withheld[owner] = None

    def _set_time(self, fd: int) -> None:
        if self._timestamp is not None:
            os.utime(fd, (self._timestamp, self._timestamp))

    # -- places ------------------------------------------------------------------------------------------

    def _place(self, path: str) -> tuple[int, bytes]:
        place = self._root.place(path)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        folder = parent(path) if place[1] else path
        if folder not in self._directories:
            # Temporary files are renamed later, so the descriptor of their directory must stay open until then.
            self._directories[folder] = os.dup(place[0])
        return self._directories[folder], place[1]

    @staticmethod
    def _create(folder: int, name: bytes) -> int:
        # Delete a temporary file of this name that a killed run has left.
        _clear(folder, name)
        return os.open(name, _CREATE, 0o600, dir_fd=folder)


def _reason(error: OSError | InputError) -> str:
    """Return the message of an OSError, or of the error for a directory that can no longer be reached."""
    return str(error.strerror) if isinstance(error, OSError) else error.problems[0].message


def _clear(folder: int, name: bytes) -> None:
    """Delete the file, link or empty directory of this name, if it exists."""
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        pass
