"""Compare the desired tree with the actual one: a list of actions, and a list of conflicts. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from rootfs_trust.errors import CONFLICT, Problem
from rootfs_trust.rootfs.view import (
    Absent,
    Desired,
    Directory,
    File,
    Node,
    Special,
    Symlink,
    View,
    as_bytes,
    join,
    parent,
)

_OTHER_PATH = "choose another path or name for one of them"
MAX_NAME, MAX_PATH = 255, 4095
"""Maximum lengths of names and paths in bytes (NAME_MAX, and PATH_MAX without its NUL)."""

STAGED_PREFIX = ".rootfs-trust-"
"""Prefix of the temporary files that a run writes next to their final path. Only a killed run leaves any."""

SIGNATURES = ("security.ima", "security.evm")
"""Extended attributes with a signature of a file's content, which a changed file does not match."""

IMMUTABLE = {
    "/nix/store": ("Nix", "security.pki.certificateFiles of NixOS"),
    "/gnu/store": ("Guix", "a package that holds them in etc/ssl/certs, in the packages of the operating-system"),
}
"""Directories of content-addressed files, with the system that owns them and its setting for certificates.

Sources: nixos/modules/security/ca.nix; GNU Guix Reference Manual, "X.509 Certificates".
"""


class MakeDirectory(NamedTuple):
    """Create a directory. Its parent directory exists when this action runs."""

    path: str
    node: Directory

    @property
    def verb(self) -> str:
        """The name of the action in JSON and in messages."""
        return "directory"


class Put(NamedTuple):
    """Write a file. ``replaces`` says whether the path already exists."""

    path: str
    node: File
    replaces: bool

    @property
    def verb(self) -> str:
        """The name of the action in JSON and in messages."""
        return "put"


class Link(NamedTuple):
    """Create a symbolic link. ``replaces`` says whether another link exists there."""

    path: str
    node: Symlink
    replaces: bool

    @property
    def verb(self) -> str:
        """The name of the action in JSON and in messages."""
        return "link"


class Remove(NamedTuple):
    """Remove a file or link."""

    path: str

    @property
    def verb(self) -> str:
        """The name of the action in JSON and in messages."""
        return "remove"


Action: TypeAlias = MakeDirectory | Put | Link | Remove


class Plan(NamedTuple):
    """Actions in their order, and conflicts. If there are conflicts, no action is carried out."""

    actions: tuple[Action, ...] = ()
    conflicts: tuple[Problem, ...] = ()


def make_plan(view: View, desired: Desired, *, will_be_signed: bool = False) -> Plan:
    """Plan how to turn the tree ``view`` into one that contains ``desired``.

    Directories come first, then files and links in the order of ``desired``, then removals. A directory that is needed
    but not named gets the default owner and mode.
    """
    impossible = tuple(_impossible(desired))
    if impossible:
        return Plan((), impossible)
    desired = {**dict.fromkeys(_missing_parents(view, desired), Directory()), **desired}
    blocked = _blocked_directories(view, desired)
    conflicts = [*filter(None, blocked.values()), *_collisions(view, desired)]
    changes: list[Action] = []
    for path, wanted in desired.items():
        change = None if blocked[parent(path)] else _change(view, path, wanted)
        if isinstance(change, Problem):
            conflicts.append(change)
        elif change is not None:
            changes.append(change)
    if not will_be_signed:
        conflicts += _signed(view, changes)
    conflicts += _mounted(view, changes)
    conflicts += _immutable(view, changes)
    changes = [*(each for each in changes if not isinstance(each, Remove)), *_removals(changes)]
    for leftover in _leftovers(view, desired):
        if isinstance(leftover, Problem):
            conflicts.append(leftover)
        else:
            changes.append(leftover)
    return Plan(tuple(sorted(changes, key=_phase)), tuple(dict.fromkeys(conflicts)))


def _impossible(desired: Desired) -> Iterator[Problem]:
    """Yield conflicts for paths that are impossible, or that have the name of a temporary file."""
    for path, node in desired.items():
        names = path[1:].split("/")
        if not path.startswith("/") or "\0" in path or not {"", ".", ".."}.isdisjoint(names):
            what = "is not a normalised path of the device (absolute, without // or . or ..)"
        elif len(as_bytes(path)) > MAX_PATH or any(len(as_bytes(name)) > MAX_NAME for name in names):
            what = f"is too long: a path has at most {MAX_PATH} bytes, and each name in it {MAX_NAME}"
        elif names[-1].startswith(STAGED_PREFIX) and not isinstance(node, Absent):
            what = f"has a name that begins with {STAGED_PREFIX}, like temporary files"
        else:
            continue
        yield CONFLICT(path, f"{what}; nothing can be written there", "choose another path")


def real_directory(view: View, folder: str) -> str:
    """Return the real path of the directory ``folder``, as far as it exists."""
    names: list[str] = []
    while (real := view.real_path(folder)) is None and folder != "/":
        folder, _, name = folder.rpartition("/")
        folder = folder or "/"
        names.append(name)
    return "/".join([(real or "").rstrip("/"), *reversed(names)]) or "/"


def _collisions(view: View, desired: Desired) -> Iterator[Problem]:
    """Yield conflicts for paths of ``desired`` that are the same file on the device, or of which one is below the
    other.
    """
    folders = {folder: real_directory(view, folder) for folder in dict.fromkeys(map(parent, desired))}
    places: dict[str, str] = {}
    for path, node in desired.items():
        place = path if path == "/" else join(folders[parent(path)], path.rpartition("/")[2])
        first = places.setdefault(place, path)
        if desired[first] != node and not (isinstance(desired[first], Directory) and isinstance(node, Directory)):
            what = f"and {first} are the same file of the rootfs ({place}), but this run would write both"
            yield CONFLICT(path, what, _OTHER_PATH)
    files = {place for place, path in places.items() if isinstance(desired[path], File | Symlink)}
    for place, path in places.items():
        above = place
        while not isinstance(desired[path], Absent) and (above := parent(above)) != "/":
            if above in files:
                yield CONFLICT(path, f"would be below {places[above]}, which this run writes as a file", _OTHER_PATH)
                break
    yield from _same_but_for_case(view, places, desired)


def _same_but_for_case(view: View, places: dict[str, str], desired: Desired) -> Iterator[Problem]:
    folded: dict[str, str] = {}
    for place, path in places.items():
        first = folded.setdefault(place.casefold(), place)
        if first != place and not isinstance(desired[path], Absent) and _ignores_case(view, parent(place)):
            what = f"and {places[first]} differ only in case, but their directory ignores case"
            yield CONFLICT(path, what, _OTHER_PATH)


def _ignores_case(view: View, folder: str) -> bool:
    """Return whether ``folder``, or its nearest existing parent, ignores the case of names."""
    while folder != "/" and view.kind(folder) is not Directory:
        folder = parent(folder)
    names = view.names(folder)
    swapped = (name.swapcase() for name in names)
    probe = next((name for name in swapped if name not in names), None)
    if probe is not None:
        return view.kind(join(folder, probe), follow=False) is not None
    return folder != "/" and _ignores_case(view, parent(folder))


def _change(view: View, path: str, wanted: File | Symlink | Directory | Absent) -> Action | Problem | None:
    if isinstance(wanted, Directory):
        return _change_directory(view, path, wanted)
    actual = view.node(path)
    if isinstance(wanted, Absent):
        return Remove(path) if isinstance(actual, File | Symlink) else None
    if isinstance(wanted, File):
        return _change_file(path, wanted, actual)
    return _change_link(path, wanted, actual)


def _change_directory(view: View, path: str, wanted: Directory) -> Action | Problem | None:
    kind = view.kind(path)
    if kind is Directory:
        return None
    if kind is None and view.kind(path, follow=False) is None:
        return MakeDirectory(path, wanted)
    return _in_the_way(path, kind or Symlink, "a directory")


def _change_file(path: str, wanted: File, actual: Node | None) -> Action | Problem | None:
    if isinstance(actual, File) and actual.content == wanted.content:
        return None
    if actual is None or isinstance(actual, File | Symlink):
        return Put(path, wanted, replaces=actual is not None)
    return _in_the_way(path, type(actual), "a file")


def _change_link(path: str, wanted: Symlink, actual: Node | None) -> Action | Problem | None:
    if actual == wanted:
        return None
    if actual is None or isinstance(actual, Symlink):
        return Link(path, wanted, replaces=actual is not None)
    return _in_the_way(path, type(actual), f"a link to {wanted.points_to}")


def _in_the_way(path: str, kind: type[Node], wanted: str) -> Problem:
    what = {Directory: "a directory", File: "a file", Symlink: "a dangling link"}
    hint = "move it away; rootfs-trust does not overwrite files that it does not own"
    return CONFLICT(path, f"{what.get(kind, 'a special file')} exists where {wanted} is needed", hint)


def _blocked_directories(view: View, desired: Desired) -> dict[str, Problem | None]:
    """Yield conflicts for parents of desired paths that exist but are not directories."""
    return {folder: _blocked(view, folder) for folder in dict.fromkeys(map(parent, desired))}


def _blocked(view: View, folder: str) -> Problem | None:
    while folder != "/":
        kind = view.kind(folder)
        if kind is Directory:
            return None
        if kind is not None or view.kind(folder, follow=False) is not None:
            return _in_the_way(folder, kind or Symlink, "a directory")
        folder = parent(folder)
    return None


def _missing_parents(view: View, desired: Desired) -> list[str]:
    """Return the directories that desired files and links need, and that neither exist nor are desired themselves.

    A directory comes before those in it.
    """
    missing = set()
    pending = [parent(path) for path, wanted in desired.items() if not isinstance(wanted, Absent)]
    while pending:
        folder = pending.pop()
        if folder not in missing and view.kind(folder) is not Directory:
            missing.add(folder)
            pending.append(parent(folder))
    return sorted(missing - set(desired), key=as_bytes)


def _signed(view: View, changes: Iterable[Action]) -> Iterator[Problem]:
    for change in changes:
        if isinstance(change, Put) and change.replaces:
            for name in sorted(set(SIGNATURES) & set(view.extended_attributes(change.path))):
                hint = "pass --will-be-signed, and sign the tree after this run"
                yield CONFLICT(change.path, f"has a signature ({name}), which a change makes invalid", hint)


def _removals(changes: Iterable[Action]) -> list[Remove]:
    """Order removals by directory, the last directory of ``desired`` first.

    So files that are generated from a source file are removed before the source file. If the run is interrupted, the
    next run still knows what to remove.
    """
    removals = [change for change in changes if isinstance(change, Remove)]
    folders = list(dict.fromkeys(parent(each.path) for each in removals))
    return sorted(removals, key=lambda each: -folders.index(parent(each.path)))


def _mounted(view: View, changes: Iterable[Action]) -> Iterator[Problem]:
    """Yield conflicts for mount points: rename(2) cannot replace them, and writing would change another tree's file."""
    for change in changes:
        replaces = isinstance(change, Remove) or (isinstance(change, Put) and change.replaces)
        if replaces and view.kind(change.path, follow=False) is File and view.mounted(change.path):
            hint = "unmount it, or run rootfs-trust where it is not mounted"
            yield CONFLICT(change.path, "is a mount point, so it cannot be replaced", hint)


def _immutable(view: View, changes: Iterable[Action]) -> Iterator[Problem]:
    """Yield conflicts for files of a content-addressed store, where the next build would undo a change."""
    for change in changes:
        replaced = view.real_path(change.path) if isinstance(change, Put) and change.replaces else None
        for place in (_real(view, change.path), replaced or ""):
            store = next((each for each in IMMUTABLE if f"{place}/".startswith(f"{each}/")), None)
            if store is not None:
                name, setting = IMMUTABLE[store]
                message = f"{place} belongs to the store of {name}, whose files never change"
                hint = f"change the configuration of the system and build it again; for certificates: {setting}"
                yield CONFLICT(change.path, message, hint)
                break


def _real(view: View, path: str) -> str:
    """Return ``path`` with links in its parent directory resolved. That directory may not exist yet."""
    folder, names = parent(path), [path.rpartition("/")[2]]
    while (real := view.real_path(folder)) is None:
        folder, names = parent(folder), [folder.rpartition("/")[2], *names]
    return join(real, "/".join(names))


def _leftovers(view: View, desired: Desired) -> Iterator[Remove | Problem]:
    """Yield the removal of each temporary file that a killed run left in a directory to write, or a conflict if it
    cannot be removed.
    """
    for folder in sorted({parent(path) for path in desired}):
        for path in (join(folder, name) for name in view.names(folder) if name.startswith(STAGED_PREFIX)):
            kind = view.kind(path, follow=False) or Special
            if kind is Special or (kind is Directory and view.names(path)):
                yield _in_the_way(path, kind, "a staged file")
            else:
                yield Remove(path)


def _phase(action: Action) -> tuple[int, str]:
    """Sort key: directories first, outer ones before inner ones; then files and links in order; then removals."""
    if isinstance(action, MakeDirectory):
        return 0, action.path
    return (2 if isinstance(action, Remove) else 1), ""
