"""Write output files: reports, bills of materials, chains, configurations.

Most are on the host, where links are followed. A path that leads into a tree that the command reads is resolved as on
the device, like paths of the trust store, so that no link of the tree can lead it outside.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from rootfs_trust.api.apply_plan import apply_and_verify
from rootfs_trust.errors import APPLY, CONFLICT, OUTPUT, ApplyError, ConflictError, InputError, refuse
from rootfs_trust.image.destination import Destination
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.rootfs.resolve import MAX_LINKS, steps
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, Symlink, parent


def write_output(
    path: str, data: bytes, trees: Iterable[str] = (), *, new: bool = False, timestamp: int | None = None
) -> None:
    """Write ``data`` to the host path ``path`` atomically, keeping the mode of an existing file.

    ``trees``: host paths of the trees that the command reads. ``new``: an existing file is a conflict. ``timestamp`` is
    the modification time if the path is in a tree. A pipe or device outside the trees is opened and written, not
    replaced. Raises InputError or ConflictError before anything is written, or ApplyError.
    """
    inside = place_in(path, trees)
    if inside is not None:
        _write_inside(path, *inside, data, new=new, timestamp=timestamp)
    elif new and os.path.lexists(path):
        raise there_already(path)
    elif os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        try:
            with open(path, "wb") as file:
                file.write(data)
        except OSError as error:
            message = f"cannot be written: {error.strerror}"
            raise ApplyError(APPLY(path, message, "check the path and its permissions")) from error
    else:
        Destination(os.path.realpath(path), overwrite=not new).put_file((data,))


def place_in(path: str, trees: Iterable[str]) -> tuple[str, str] | None:
    """Return the tree that the host path ``path`` leads into, and the path on the device. None if it leads into none.

    ``path`` is resolved as the host does, one component at a time, until it reaches the directory of a tree. The rest
    is a path of the device. The host's own root is not such a tree.
    """
    wanted = {_identity(tree): tree for tree in trees if os.path.isdir(tree)}
    wanted.pop(_identity("/"), None)
    pending = steps(os.path.join(os.getcwd(), path)) if wanted else []
    current, links = "/", 0
    while pending:
        name = pending.pop()
        if name in (".", ".."):
            current = current if name == "." else os.path.dirname(current)
            continue
        entry = os.path.join(current, name)
        try:
            status = os.lstat(entry)
        except OSError:
            return None  # writing the file reports the error
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > MAX_LINKS:
                return None
            text = os.readlink(entry)
            current = "/" if text.startswith("/") else current
            pending += steps(text)
            continue
        current = entry
        tree = wanted.get((status.st_dev, status.st_ino))
        if tree is not None:
            return tree, "/" + "/".join(reversed(pending))
    return None


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _write_inside(path: str, tree: str, place: str, data: bytes, *, new: bool, timestamp: int | None) -> None:
    with RootDirectory(tree) as root:
        root.lock()
        if root.kind(place) is Directory:
            raise InputError(OUTPUT(path, "is a directory", "choose a file"))
        if root.kind(parent(place)) is not Directory:
            message = f"{parent(place)} is not a directory of the root filesystem {tree}"
            raise InputError(OUTPUT(path, message, "create it first, or choose another path"))
        if new and root.kind(place, follow=False) is not None:
            raise there_already(path)
        if root.kind(place, follow=False) is Symlink and root.kind(place) is None:
            message = f"{place} is a dangling link in the root filesystem {tree}"
            raise InputError(OUTPUT(path, message, "choose the target of the link instead"))
        desired = {root.real_path(place) or place: File(data)}
        plan = make_plan(root, desired)
        refuse(ConflictError, plan.conflicts)
        apply_and_verify(root, plan, desired, owner=root.owner, timestamp=timestamp)


def there_already(path: str) -> ConflictError:
    """Return the error for a host path that must not exist yet."""
    return ConflictError(CONFLICT(path, "already exists", "edit it, or choose another file"))
