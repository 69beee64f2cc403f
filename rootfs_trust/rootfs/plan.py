"""Desired against actual: what has to be done, and what stands in the way. Pure; the plan is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import (
    Absent,
    Desired,
    Directory,
    File,
    Node,
    Special,
    Symlink,
    View,
    join,
    parent,
)

STAGED_PREFIX = ".rootfs-trust-"
"""How the names of files begin that a run writes beside their places; only a killed one leaves any behind."""

SIGNATURES = ("security.ima", "security.evm")
"""Extended attributes that hold a signature over a file's content; a changed file no longer matches them."""


class MakeDirectory(NamedTuple):
    """Make the folder; its parent exists by then."""

    path: str
    node: Directory

    @property
    def verb(self) -> str:
        """What the contract calls it."""
        return "directory"


class Put(NamedTuple):
    """Write the file; ``replaces`` says whether something stands there."""

    path: str
    node: File
    replaces: bool

    @property
    def verb(self) -> str:
        """What the contract calls it."""
        return "put"


class Link(NamedTuple):
    """Make the symbolic link; ``replaces`` says whether another link stands there."""

    path: str
    node: Symlink
    replaces: bool

    @property
    def verb(self) -> str:
        """What the contract calls it."""
        return "link"


class Remove(NamedTuple):
    """Take the file or link away."""

    path: str

    @property
    def verb(self) -> str:
        """What the contract calls it."""
        return "remove"


Action: TypeAlias = MakeDirectory | Put | Link | Remove


class Plan(NamedTuple):
    """Actions in the order in which they are done, and the conflicts that forbid all of them."""

    actions: tuple[Action, ...] = ()
    conflicts: tuple[Trouble, ...] = ()


def make_plan(view: View, desired: Desired, *, will_be_signed: bool = False) -> Plan:
    """What turns the tree of ``view`` into one that holds ``desired``.

    Folders come first, then files and links in the order of ``desired``, then what has to go. A folder that
    is needed and not named gets the default owner and mode.
    """
    desired = {**dict.fromkeys(_missing_parents(view, desired), Directory()), **desired}
    blocked = _blocked_folders(view, desired)
    conflicts = list(filter(None, blocked.values()))
    changes: list[Action] = []
    for path, wanted in desired.items():
        change = None if blocked[parent(path)] else _change(view, path, wanted)
        if isinstance(change, Trouble):
            conflicts.append(change)
        elif change is not None:
            changes.append(change)
    if not will_be_signed:
        conflicts += _signed(view, changes)
    conflicts += _mounted(view, changes)
    changes = [*(each for each in changes if not isinstance(each, Remove)), *_removals(changes)]
    for leftover in _leftovers(view, desired):
        if isinstance(leftover, Trouble):
            conflicts.append(leftover)
        else:
            changes.append(leftover)
    return Plan(tuple(sorted(changes, key=_phase)), tuple(dict.fromkeys(conflicts)))


def _change(view: View, path: str, wanted: File | Symlink | Directory | Absent) -> Action | Trouble | None:
    if isinstance(wanted, Directory):
        return _change_directory(view, path, wanted)
    actual = view.node(path)
    if isinstance(wanted, Absent):
        return Remove(path) if isinstance(actual, File | Symlink) else None
    if isinstance(wanted, File):
        return _change_file(path, wanted, actual)
    return _change_link(path, wanted, actual)


def _change_directory(view: View, path: str, wanted: Directory) -> Action | Trouble | None:
    kind = view.kind(path)
    if kind is Directory:
        return None
    if kind is None and view.kind(path, follow=False) is None:
        return MakeDirectory(path, wanted)
    return _in_the_way(path, kind or Symlink, "a folder")


def _change_file(path: str, wanted: File, actual: Node | None) -> Action | Trouble | None:
    if isinstance(actual, File) and actual.content == wanted.content:
        return None
    if actual is None or isinstance(actual, File | Symlink):
        return Put(path, wanted, replaces=actual is not None)
    return _in_the_way(path, type(actual), "a file")


def _change_link(path: str, wanted: Symlink, actual: Node | None) -> Action | Trouble | None:
    if actual == wanted:
        return None
    if actual is None or isinstance(actual, Symlink):
        return Link(path, wanted, replaces=actual is not None)
    return _in_the_way(path, type(actual), f"a link to {wanted.points_to}")


def _in_the_way(path: str, kind: type[Node], wanted: str) -> Trouble:
    what = {Directory: "a folder", File: "a file", Symlink: "a link that leads nowhere"}
    return Trouble(
        "conflict",
        path,
        f"{what.get(kind, 'a special file')} stands where {wanted} has to be",
        "move it away; it is not this tool's, so it is left as it is",
    )


def _blocked_folders(view: View, desired: Desired) -> dict[str, Trouble | None]:
    """Each folder that holds a wanted path, and what on the way to it is there and is no folder."""
    return {folder: _blocked(view, folder) for folder in dict.fromkeys(map(parent, desired))}


def _blocked(view: View, folder: str) -> Trouble | None:
    while folder != "/":
        kind = view.kind(folder)
        if kind is Directory:
            return None
        if kind is not None or view.kind(folder, follow=False) is not None:
            return _in_the_way(folder, kind or Symlink, "a folder")
        folder = parent(folder)
    return None


def _missing_parents(view: View, desired: Desired) -> set[str]:
    """Folders that wanted files and links need and that are neither there nor wanted by name."""
    missing = set()
    pending = list({parent(path) for path, wanted in desired.items() if not isinstance(wanted, Absent)})
    while pending:
        folder = pending.pop()
        if folder not in missing and view.kind(folder) is not Directory:
            missing.add(folder)
            pending.append(parent(folder))
    return missing - set(desired)


def _signed(view: View, changes: Iterable[Action]) -> Iterator[Trouble]:
    for change in changes:
        if isinstance(change, Put) and change.replaces:
            for name in sorted(set(SIGNATURES) & set(view.extended_attributes(change.path))):
                yield Trouble(
                    "conflict",
                    change.path,
                    f"carries a signature ({name}) of its old content",
                    "sign the tree after this run, and say --will-be-signed",
                )


def _removals(changes: Iterable[Action]) -> list[Remove]:
    """What has to go, the last folder that is wanted first: what is made of a source goes before the source.

    By that, the next run still knows what has to go when this one is cut short.
    """
    removals = [change for change in changes if isinstance(change, Remove)]
    folders = list(dict.fromkeys(parent(each.path) for each in removals))
    return sorted(removals, key=lambda each: -folders.index(parent(each.path)))


def _mounted(view: View, changes: Iterable[Action]) -> Iterator[Trouble]:
    """Files that are mount points: no rename replaces one, and writing into it would change another tree's file."""
    for change in changes:
        replaces = isinstance(change, Remove) or (isinstance(change, Put) and change.replaces)
        if replaces and view.kind(change.path, follow=False) is File and view.mounted(change.path):
            yield Trouble(
                "conflict",
                change.path,
                "something is mounted here, so that it cannot be replaced",
                "unmount it, or run where it is not mounted",
            )


def _leftovers(view: View, desired: Desired) -> Iterator[Remove | Trouble]:
    """What a killed run left in the folders that are written: files, links and empty folders."""
    for folder in sorted({parent(path) for path in desired}):
        for path in (join(folder, name) for name in view.names(folder) if name.startswith(STAGED_PREFIX)):
            kind = view.kind(path, follow=False) or Special
            if kind is Special or (kind is Directory and view.names(path)):
                yield _in_the_way(path, kind, "a staged file")
            else:
                yield Remove(path)


def _phase(action: Action) -> tuple[int, str]:
    """Folders, outer ones first; then files and links as they come; then removals."""
    if isinstance(action, MakeDirectory):
        return 0, action.path
    return (2 if isinstance(action, Remove) else 1), ""
