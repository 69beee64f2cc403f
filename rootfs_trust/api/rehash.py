"""``rehash``: the hash links of folders on the host, as ``openssl rehash`` and ``c_rehash`` make them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rootfs_trust.api.carry_out import carry_out, refuse
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.outcome import Outcome
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Absent, Directory, Symlink, parent
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.store.hash_directory import rehashed

NEW, OLD, BOTH = ("new",), ("old",), ("new", "old")
"""Which subject hashes name the links: those since OpenSSL 1.0.0, those before, or both."""


def rehash(
    folders: Sequence[str],
    *,
    styles: Sequence[str] = NEW,
    timestamp: int | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Make the hash links of each of ``folders``; paths in the answer are spelled as given.

    Raises InputError for a folder that is missing, ConflictError where a file or folder has a link's name (both:
    nothing was written), or ApplyError.
    """
    with Root("/") as host:
        given = _by_real_path(host, folders)
        refuse(InputError, [_missing(given[path]) for path in given if host.kind(path) is not Directory])
        # Each folder once, in one order for everybody: no two runs wait for each other.
        host.lock(*sorted(given))
        desired: dict[str, Symlink | Absent] = {}
        warnings: list[Trouble] = []
        for path in given:
            links, told = rehashed(host, path, styles)
            desired |= links
            warnings += told
        plan = make_plan(host, desired)
        refuse(ConflictError, _as_given(given, plan.conflicts))
        if not dry_run:
            warnings += carry_out(host, plan, desired, owner=None, timestamp=timestamp)
    actions = tuple(action._replace(path=_spelled(given, action.path)) for action in plan.actions)
    return Outcome("", actions, (), tuple(_as_given(given, warnings)), dry_run)


def _by_real_path(host: Root, folders: Sequence[str]) -> dict[str, str]:
    """Each folder once, as it was first called: links may lead to one that is given, too."""
    given: dict[str, str] = {}
    for folder in folders:
        path = os.path.abspath(folder)
        given.setdefault(host.real_path(path) or path, folder)
    return given


def _missing(folder: str) -> Trouble:
    return Trouble("no-folder", folder, "is no folder", "rehash takes the folders whose links it makes")


def _as_given(given: dict[str, str], troubles: Iterable[Trouble]) -> Iterator[Trouble]:
    return (replace(trouble, path=_spelled(given, trouble.path)) for trouble in troubles)


def _spelled(given: dict[str, str], path: str) -> str:
    """A path in one of the folders, spelled the way the caller spelled the folder."""
    folder = given.get(parent(path))
    return path if folder is None else os.path.join(folder, path.rpartition("/")[2])
