"""The entries of a merged tree, and how layers are laid one over the other. Pure.

Facts: the OCI image specification, layer.md ("Applying Changesets", "Whiteouts", "Opaque Whiteout"). Where it says
nothing, an entry goes where it would go on a device: links in the folders of its name are followed in the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.limits import Limits
from rootfs_trust.image.tar_stream import Member, parts_of
from rootfs_trust.rootfs.resolve import MAX_LINKS
from rootfs_trust.rootfs.view import DIRECTORY_MODE, Directory, File, Node, Owner, Special, Symlink

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_OF_AUFS = ".wh..wh."


class MemberPlace(NamedTuple):
    """Where an entry's bytes are: the number of its layer, and of the member in that."""

    layer: int
    member: int


class ImageEntry:
    """What stands at a path. Hard links are one entry in several folders."""

    __slots__ = (
        "attributes",
        "children",
        "kind",
        "mode",
        "mtime",
        "offset",
        "owner",
        "place",
        "points_to",
        "pruned_in",
        "size",
    )

    def __init__(self, kind: type[Node], place: MemberPlace) -> None:
        self.kind = kind
        self.place = place
        self.mode = DIRECTORY_MODE
        self.owner = Owner(0, 0)
        self.mtime = 0
        self.size: int | None = 0
        """Bytes of a file, None if it is stored as a sparse one; they begin at ``offset`` of the layer's stream."""
        self.offset = 0
        self.points_to = ""
        self.attributes: Mapping[str, bytes] = {}
        self.children: dict[str, ImageEntry] | None = {} if kind is Directory else None
        self.pruned_in = -1
        """The last layer with a whiteout over it, after which nothing of lower layers is below it."""

    def folders(self) -> dict[str, ImageEntry]:
        """The entries in a folder. Raises MalformedError where this is none."""
        if self.children is None:
            raise MalformedError("has an entry below something that is no folder")
        return self.children


class WalkedPath(NamedTuple):
    """How a path was walked: the names passed, free of links, and the entries there, the root first."""

    names: tuple[str, ...]
    entries: tuple[ImageEntry, ...]


def walk(
    root: ImageEntry, parts: list[str], *, follow: bool, make: MemberPlace | None = None, limits: Limits | None = None
) -> WalkedPath | None:
    """Walk ``parts`` as the device would after ``chroot``; None where the way ends.

    ``follow``: a link in the last place, too. ``make``: folders that are missing come into being. ``limits`` count
    the parts of links.
    """
    names: list[str] = []
    entries = [root]
    pending = parts[::-1]
    links = 0
    while pending:
        name = pending.pop()
        if name == "..":
            if names:
                del names[-1], entries[-1]
            continue
        child = _child(entries[-1], name, make)
        if child is None:
            return None
        if child.kind is Symlink and (pending or follow):
            links += 1
            if links > MAX_LINKS:
                return None
            if child.points_to.startswith("/"):
                names, entries = [], [root]
            more = steps(child.points_to)
            if limits is not None:
                limits.walk(len(more))
            pending += more
            continue
        names.append(name)
        entries.append(child)
    return WalkedPath(tuple(names), tuple(entries))


def _child(folder: ImageEntry, name: str, make: MemberPlace | None) -> ImageEntry | None:
    if folder.children is None:
        return None
    if name not in folder.children and make is not None:
        folder.children[name] = ImageEntry(Directory, make)
    return folder.children.get(name)


def steps(path: str) -> list[str]:
    """The parts of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def apply_entry(root: ImageEntry, member: Member, layer: int, limits: Limits, *, whiteouts: bool) -> tuple[str, ...]:
    """Lay one member over the tree; return the real place that it concerns, as names from the root on.

    ``whiteouts``: names as layers have them take away what lower layers hold. Raises MalformedError, also where it
    comes to more than the ``limits``.
    """
    limits.count(member)
    parts = parts_of(member.info.name)
    place = MemberPlace(layer, member.number)
    if not parts:
        return _root(root, member, place)
    if whiteouts and parts[-1].startswith(WHITEOUT):
        return _white_out(root, parts, layer, limits)
    way = walk(root, parts[:-1], follow=True, make=place, limits=limits)
    if way is None:
        raise MalformedError(f"has an entry {member.info.name!r} below something that is no folder")
    folder = way.entries[-1].folders()
    folder[parts[-1]] = (
        _linked(root, member, limits) if member.info.islnk() else _entry(member, place, folder.get(parts[-1]))
    )
    return (*way.names, parts[-1])


def _root(root: ImageEntry, member: Member, place: MemberPlace) -> tuple[str, ...]:
    if not member.info.isdir():
        raise MalformedError("has a root that is no folder")
    _take(root, member, place)
    return ()


def _entry(member: Member, place: MemberPlace, old: ImageEntry | None) -> ImageEntry:
    kind = _kind(member)
    entry = old if old is not None and old.kind is Directory is kind else ImageEntry(kind, place)
    _take(entry, member, place)
    return entry


def _take(entry: ImageEntry, member: Member, place: MemberPlace) -> None:
    """A folder keeps what is in it; all else is as the later layer says."""
    info = member.info
    entry.place = place
    entry.mode = info.mode & 0o7777
    entry.owner = Owner(info.uid, info.gid)
    entry.mtime = int(info.mtime)
    entry.size = None if info.issparse() else info.size
    entry.offset = info.offset_data
    entry.points_to = info.linkname if info.issym() else ""
    entry.attributes = member.attributes


def _kind(member: Member) -> type[Node]:
    info = member.info
    if info.isdir():
        return Directory
    if info.issym():
        return Symlink
    return File if info.isreg() else Special


def _linked(root: ImageEntry, member: Member, limits: Limits) -> ImageEntry:
    """The entry to which a hard link leads: it has to be there already."""
    parts = parts_of(member.info.linkname)
    way = walk(root, parts, follow=False, limits=limits)
    if way is None or way.entries[-1].kind is Directory:
        raise MalformedError(f"has a hard link {member.info.name!r} to {member.info.linkname!r}, which is no file")
    return way.entries[-1]


def _white_out(root: ImageEntry, parts: list[str], layer: int, limits: Limits) -> tuple[str, ...]:
    """Take away what lower layers hold; what this layer brought already stays."""
    way = walk(root, parts[:-1], follow=True, limits=limits)
    folder = way.entries[-1] if way else None
    if way is None or folder is None or folder.children is None:
        return ()
    if parts[-1] == OPAQUE:
        if folder.pruned_in != layer:
            folder.pruned_in = layer
            _prune(folder.children, tuple(folder.children), layer)
    elif not parts[-1].startswith(_OF_AUFS):
        _prune(folder.children, (parts[-1][len(WHITEOUT) :],), layer)
    return way.names


def _prune(folder: dict[str, ImageEntry], names: tuple[str, ...], layer: int) -> None:
    """Take away what is in ``folder`` under ``names``, inner entries first; folders that still hold something stay.

    A folder that this layer pruned before is not looked through again: whiteouts may be as many as entries.
    """
    found = [(folder, name) for name in names if name in folder]
    for holder, name in found:  # which grows, outer entries before inner ones
        entry = holder[name]
        if entry.children and entry.pruned_in != layer:
            entry.pruned_in = layer
            children = entry.children
            found += ((children, each) for each in children)
    for holder, name in reversed(found):
        if holder[name].place.layer < layer and not holder[name].children:
            del holder[name]


def each(root: ImageEntry) -> Iterator[tuple[str, ImageEntry]]:
    """Every entry below a folder with its path, outer ones first."""
    pending = [("", root)]
    while pending:
        path, entry = pending.pop()
        for name, child in (entry.children or {}).items():
            yield f"{path}/{name}", child
            if child.children:
                pending.append((f"{path}/{name}", child))
