"""``rehash``: create the hash links of directories, like ``openssl rehash`` and ``c_rehash``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from rootfs_trust.api.apply_plan import apply_and_verify
from rootfs_trust.errors import CONFLICT, NO_FOLDER, USAGE, ConflictError, InputError, Problem, refuse
from rootfs_trust.outcome import Outcome
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Absent, Directory, Symlink, join, parent
from rootfs_trust.store.hash_links import rehashable, rehashed

NEW, OLD, BOTH = ("new",), ("old",), ("new", "old")
"""The subject hashes to use for link names: ``new`` is the one of OpenSSL 1.0.0 and later, ``old`` that of earlier
versions.
"""


def rehash(
    folders: Sequence[str],
    *,
    root: str | None = None,
    styles: Sequence[str] = NEW,
    timestamp: int | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Create the hash links in each directory of ``folders``. Paths in the result begin with the directory as the
    caller wrote it.

    With ``root``, the host path of a root filesystem, ``folders`` are paths on the device, and links are resolved
    inside ``root``. Raises InputError for a missing directory, or ConflictError if a file or directory has the name of
    a link, or if the directory belongs to another root filesystem. In these cases nothing was written. Raises
    ApplyError if writing fails.
    """
    refuse(InputError, _relative(folders) if root else ())
    with RootDirectory(root or "/") as host:
        given = _by_real_path(host, folders, on_device=root is not None)
        refuse(
            InputError, [_no_directory(host, path, given[path]) for path in given if host.kind(path) is not Directory]
        )
        if root:
            host.lock()
        else:
            refuse(ConflictError, _as_given(given, (each for path in given for each in _of_others(host, path))))
        # Lock each directory once, in a fixed order, so that two runs cannot deadlock.
        host.lock(*sorted(given))
        desired: dict[str, Symlink | Absent] = {}
        warnings: list[Problem] = []
        for path in given:
            links, told = rehashed(host, path, styles)
            desired |= links
            warnings += told
        plan = make_plan(host, desired)
        refuse(ConflictError, _as_given(given, plan.conflicts))
        if not dry_run:
            owner = host.owner if root else None
            warnings += apply_and_verify(host, plan, desired, owner=owner, timestamp=timestamp)
    actions = tuple(action._replace(path=_path_as_given(given, action.path)) for action in plan.actions)
    return Outcome("", actions, (), tuple(_as_given(given, warnings)), dry_run)


def _by_real_path(host: RootDirectory, folders: Sequence[str], *, on_device: bool) -> dict[str, str]:
    """Return each directory once: a mapping from its real path to the first path that the caller gave for it."""
    given: dict[str, str] = {}
    for folder in folders:
        path = os.path.normpath(f"/{folder.lstrip('/')}") if on_device else os.path.abspath(folder)
        given.setdefault(host.real_path(path) or path, folder)
    return given


def _no_directory(host: RootDirectory, path: str, folder: str) -> Problem:
    message = "does not exist" if host.kind(path) is None else "is not a directory"
    return NO_FOLDER(folder, message)


def _relative(folders: Sequence[str]) -> Iterator[Problem]:
    for folder in folders:
        if not folder.startswith("/"):
            message = "with --root, a directory is a path of the device and begins with /"
            yield USAGE(folder, message, "for example --root ./rootfs /etc/ssl/certs")


def _of_others(host: RootDirectory, folder: str) -> Iterator[Problem]:
    """Yield a conflict if the directory seems to belong to another root filesystem: certificate links in it dangle on
    this host, but probably not on the device. The evidence is a parent directory in which a target exists, or that
    every absolute link dangles.
    """
    texts = [text for name in filter(rehashable, host.names(folder)) if (text := _absolute(host, join(folder, name)))]
    nowhere = [text for text in texts if host.kind(text) is None]
    above = [folder[:end] for end, char in enumerate(folder) if char == "/" and end]
    root = next((root for root in above for text in nowhere if host.kind(root + text) is not None), None)
    if root or (nowhere and len(nowhere) == len(texts)):
        inside = (
            f"--root {root} {folder.removeprefix(root)}"
            if root
            else "--root DIR and the path of the directory on the device"
        )
        message = (
            f"its links point to paths that do not exist here, such as {nowhere[0]}, so its hash links would be deleted"
        )
        yield CONFLICT(folder, message, f"if it belongs to another root filesystem, pass {inside}")


def _absolute(host: RootDirectory, path: str) -> str:
    """Return the target of an absolute link, or an empty string."""
    node = host.node(path)
    return node.points_to if isinstance(node, Symlink) and node.points_to.startswith("/") else ""


def _as_given(given: dict[str, str], problems: Iterable[Problem]) -> Iterator[Problem]:
    return (problem._replace(path=_path_as_given(given, problem.path)) for problem in problems)


def _path_as_given(given: dict[str, str], path: str) -> str:
    """Return a path in one of the directories, beginning with the directory as the caller wrote it."""
    if path in given:
        return given[path]
    folder = given.get(parent(path))
    return path if folder is None else os.path.join(folder, path.rpartition("/")[2])
