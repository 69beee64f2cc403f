"""The one writer: carries a plan out so that a run cut short anywhere leaves only whole files.

Order: folders; every file staged beside its place, with owner, mode and attributes set, and synced, and every link
that has an owner or a time to get; then renames and links in the order of the plan, and each folder that changed is
synced; then removals, and theirs are. Nothing that was there before changes until all the bytes are on the disk, so
a full disk shows itself in time; nothing goes before what stands for it is safe.

Who writes many trees may take the two steps of :class:`Writer` apart and sync once for all of them after each.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from types import TracebackType

from rootfs_trust.errors import ApplyError, InputError, Trouble
from rootfs_trust.rootfs.by_descriptor import path_by_descriptor, read_extended_attributes
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Owner, as_bytes, parent
from rootfs_trust.rootfs.plan import SIGNATURES, STAGED_PREFIX, Action, Link, MakeDirectory, Plan, Put, Remove

_HINT = "every file is whole; mend the cause and run the same command again"

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def apply(root: Root, plan: Plan, *, owner: Owner | None, timestamp: int | None) -> list[Trouble]:
    """Carry ``plan`` out below ``root``; return what the caller should be told.

    New entries are given to ``owner`` where the caller may do that; None leaves them the caller's.
    ``timestamp`` (seconds since 1970) becomes the modification time of all that is written. Raises ApplyError,
    which says what was and what was not written, when the disk or the target fails underway.
    """
    with Writer(root, plan, owner=owner, timestamp=timestamp) as writer:
        writer.stage()
        writer.publish()
        return writer.notes()


class Writer:
    """One plan being carried out, by :meth:`stage` and then :meth:`publish`; leaving it takes staged leftovers away.

    With ``durable`` each file is on the disk before a name leads to it, and all names when ``publish`` ends. Without,
    nothing is synced here: the caller syncs the file system after ``stage``, or a power cut may leave empty files
    in the places of whole ones, and after ``publish``, before the work is called done.
    """

    def __init__(
        self, root: Root, plan: Plan, *, owner: Owner | None, timestamp: int | None, durable: bool = True
    ) -> None:
        self._root = root
        self._actions = plan.actions
        self._owner = owner
        self._timestamp = timestamp
        self._durable = durable
        # Owners that the caller may not give, in the order in which they were wanted.
        self._withheld: dict[Owner, None] = {}
        self._staged: dict[str, tuple[int, bytes]] = {}
        self._done: list[str] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder, staged in self._staged.values():
            with contextlib.suppress(OSError):
                _clear(folder, staged)

    def stage(self) -> None:
        """Make the new folders, and every file beside its place. Raises ApplyError."""
        for number, action in enumerate(self._actions):
            self._prepare(action, as_bytes(f"{STAGED_PREFIX}{number}"))

    def publish(self) -> None:
        """Rename what is staged into place, and do the rest. Raises ApplyError."""
        removals = tuple(action for action in self._actions if isinstance(action, Remove))
        self._carry_out(tuple(action for action in self._actions if not isinstance(action, Remove)), rest=removals)
        self._carry_out(removals, rest=())

    def _carry_out(self, actions: tuple[Action, ...], *, rest: tuple[Action, ...]) -> None:
        for action in actions:
            self._step(action, self._perform)
        for folder in self._changed_folders(actions):
            self._finish(folder, rest)

    def notes(self) -> list[Trouble]:
        """What the caller should be told of the owners of new entries."""
        told = [
            Trouble(
                "owner",
                "",
                f"new entries that should belong to {owner.uid}:{owner.gid} belong to the caller",
                "only root may give files away; set the owners when the image is made",
            )
            for owner in self._withheld
        ]
        given = self._owner if self._owner not in self._withheld else None
        if given is not None and given != Owner(0, 0) and self._done:
            message = f"new entries belong to {given.uid}:{given.gid}, as the root folder does"
            told.append(Trouble("owner", "", message))
        return told

    # -- steps -------------------------------------------------------------------------------------------

    def _prepare(self, action: Action, staged: bytes) -> None:
        """What can be done before anything that was there changes: new folders, staged files and links."""
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
        message = f"{action.verb} failed: {reason}; {self._written()}; not written: this and all that comes after"
        return ApplyError(Trouble("apply", action.path, message, _HINT))

    def _written(self) -> str:
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
        os.mkdir(staged, 0o700, dir_fd=folder)
        self._staged[action.path] = folder, staged
        fd = os.open(staged, _OPEN_FOLDER, dir_fd=folder)
        try:
            self._give(fd, action.node.owner or self._owner)
            os.fchmod(fd, action.node.mode)
        finally:
            os.close(fd)
        os.rename(staged, name, src_dir_fd=folder, dst_dir_fd=folder)
        del self._staged[action.path]
        self._root.forget()

    def _stage_file(self, action: Put, staged: bytes) -> None:
        folder, name = self._place(action.path)
        fd = self._create(folder, staged)
        self._staged[action.path] = folder, staged
        with open(fd, "wb") as file:
            file.write(action.node.content)
            file.flush()
            if not (action.replaces and self._take_over(folder, name, fd)):
                self._give(fd, action.node.owner or self._owner)
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
        """Give the link ``staged`` what the link ``name`` has: owner and attributes."""
        old = os.stat(name, dir_fd=folder, follow_symlinks=False)
        os.chown(staged, old.st_uid, old.st_gid, dir_fd=folder, follow_symlinks=False)
        for key, value in read_extended_attributes(folder, name).items():
            os.setxattr(path_by_descriptor(folder, staged), key, value, follow_symlinks=False)

    def _make_link(self, action: Link, folder: int, name: bytes) -> None:
        os.symlink(as_bytes(action.node.points_to), name, dir_fd=folder)
        self._give_at(folder, name)
        if self._timestamp is not None:
            os.utime(name, (self._timestamp, self._timestamp), dir_fd=folder, follow_symlinks=False)

    @staticmethod
    def _changed_folders(actions: tuple[Action, ...]) -> list[str]:
        made = [action.path for action in actions if isinstance(action, MakeDirectory)]
        return list(dict.fromkeys([*(parent(action.path) for action in actions), *made]))

    def _finish(self, path: str, rest: tuple[Action, ...]) -> None:
        """Set the time of a folder whose entries changed, and sync it; ``rest`` is what comes after."""
        try:
            folder, _ = self._place(f"{path}/")
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                self._set_time(fd)
                self._sync(fd)
            finally:
                os.close(fd)
        except (OSError, InputError) as error:
            left = f"{self._written()}; not written: what has to go" if rest else "everything is written"
            message = f"cannot be made safe on the disk: {_reason(error)}; {left}"
            raise ApplyError(Trouble("apply", path, message, _HINT)) from error

    def _sync(self, fd: int) -> None:
        if self._durable:
            os.fsync(fd)

    # -- attributes --------------------------------------------------------------------------------------

    def _take_over(self, folder: int, name: bytes, fd: int) -> bool:
        """Give the file ``fd`` what the regular file ``name`` has: owner, mode, attributes but signatures."""
        old = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(old.st_mode):
            return False
        new = os.fstat(fd)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(fd, old.st_uid, old.st_gid)
        os.fchmod(fd, stat.S_IMODE(old.st_mode))
        for key, value in read_extended_attributes(folder, name).items():
            if key not in SIGNATURES:
                os.setxattr(fd, key, value)
        return True

    def _give(self, fd: int, owner: Owner | None) -> None:
        """New entries get ``owner`` where the caller may do that; where not, it is told."""
        if owner is not None:
            with self._withholding(owner):
                os.fchown(fd, owner.uid, owner.gid)

    def _give_at(self, folder: int, name: bytes) -> None:
        if self._owner is not None:
            with self._withholding(self._owner):
                os.chown(name, self._owner.uid, self._owner.gid, dir_fd=folder, follow_symlinks=False)

    @contextlib.contextmanager
    def _withholding(self, owner: Owner) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # EINVAL: in a user namespace, one that it has no number for (user_namespaces(7)).
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
        return place

    @staticmethod
    def _create(folder: int, name: bytes) -> int:
        # What a killed run left under this name is in the way, and of no use.
        _clear(folder, name)
        return os.open(name, _CREATE, 0o600, dir_fd=folder)


def _reason(error: OSError | InputError) -> str:
    """What the system said, or the door to a folder that cannot be reached any more."""
    return str(error.strerror) if isinstance(error, OSError) else error.troubles[0].message


def _clear(folder: int, name: bytes) -> None:
    """Take away the file, link or empty folder of this name, if there is one."""
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        pass
