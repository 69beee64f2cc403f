"""The entries of a merged tree, and how layers are merged.

Facts: the OCI image specification, layer.md ("Applying Changesets", "Whiteouts", "Opaque Whiteout"). Where it says
nothing, an entry is placed as on a device: links in its parent directories are followed inside the tree.
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
    """The place of an entry's data: the number of its layer, and of the member in it."""

    layer: int
    member: int


class ImageEntry:
    """An entry of the tree. Hard links are one entry in several directories."""

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
        """Size of a file in bytes, or None if it is sparse. Its data begins at ``offset`` of the layer's stream."""
        self.offset = 0
        self.points_to = ""
        self.attributes: Mapping[str, bytes] = {}
        self.children: dict[str, ImageEntry] | None = {} if kind is Directory else None
        self.pruned_in = -1
        """The number of the last layer with a whiteout for this directory, which removed all entries of lower layers.
        """

    def directories(self) -> dict[str, ImageEntry]:
        """The entries in a directory. Raises MalformedError if this is not a directory."""
        if self.children is None:
            raise MalformedError("has an entry below something that is not a directory")
        return self.children


class WalkedPath(NamedTuple):
    """A resolved path: its names without links, and the entries, the root first."""

    names: tuple[str, ...]
    entries: tuple[ImageEntry, ...]


def walk(
    root: ImageEntry, parts: list[str], *, follow: bool, make: MemberPlace | None = None, limits: Limits | None = None
) -> WalkedPath | None:
    """Resolve ``parts`` as the device would after ``chroot``; None if the path does not exist.

    ``follow``: also resolve a link in the last component. ``make``: create missing directories. ``limits`` count the
    steps of links.
    """
    names: list[str] = []
    entries = [root]
    pending = parts[::-1]
    links = 0
    while pending:
        name = pending.pop()
        children = entries[-1].children
        if children is None:
            return None
        if name == "..":
            if names:
                del names[-1], entries[-1]
            continue
        child = children.get(name) or _made(children, name, make)
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


def _made(children: dict[str, ImageEntry], name: str, make: MemberPlace | None) -> ImageEntry | None:
    if make is not None:
        children[name] = ImageEntry(Directory, make)
    return children.get(name)


def steps(path: str) -> list[str]:
    """Return the components of a path, the last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def apply_entry(root: ImageEntry, member: Member, layer: int, limits: Limits, *, whiteouts: bool) -> tuple[str, ...]:
    """Merge one member into the tree, and return its real path as names.

    ``whiteouts``: names that are whiteouts remove entries of lower layers. Raises MalformedError, also if the member
    exceeds the limits.
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
        raise MalformedError(f"has an entry {member.info.name!r} below something that is not a directory")
    folder = way.entries[-1].directories()
    folder[parts[-1]] = (
        _hard_link_target(root, member, limits) if member.info.islnk() else _entry(member, place, folder.get(parts[-1]))
    )
    return (*way.names, parts[-1])


def _root(root: ImageEntry, member: Member, place: MemberPlace) -> tuple[str, ...]:
    if not member.info.isdir():
        raise MalformedError("has a root that is not a directory")
    _set_attributes(root, member, place)
    return ()


def _entry(member: Member, place: MemberPlace, old: ImageEntry | None) -> ImageEntry:
    kind = _kind(member)
    entry = old if old is not None and old.kind is Directory is kind else ImageEntry(kind, place)
    _set_attributes(entry, member, place)
    return entry


def _set_attributes(entry: ImageEntry, member: Member, place: MemberPlace) -> None:
    """Copy the attributes from the entry of the later layer. A directory keeps its entries."""
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


def _hard_link_target(root: ImageEntry, member: Member, limits: Limits) -> ImageEntry:
    """Return the existing entry to which a hard link points."""
    parts = parts_of(member.info.linkname)
    way = walk(root, parts, follow=False, limits=limits)
    if way is None or way.entries[-1].kind is Directory:
        raise MalformedError(f"has a hard link {member.info.name!r} to {member.info.linkname!r}, which is not a file")
    return way.entries[-1]


def _white_out(root: ImageEntry, parts: list[str], layer: int, limits: Limits) -> tuple[str, ...]:
    """Remove the entries of lower layers. Entries of this layer stay."""
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
    """Remove the entries of lower layers below ``names`` of ``folder``, inner ones first. Non-empty directories stay.

    A directory is searched once for each layer, since there may be as many whiteouts as entries.
    """
    found = [(folder, name) for name in names if name in folder]
    for holder, name in found:  # this list grows during the loop: outer entries before inner ones
        entry = holder[name]
        if entry.children and entry.pruned_in != layer:
            entry.pruned_in = layer
            children = entry.children
            found += ((children, each) for each in children)
    for holder, name in reversed(found):
        if holder[name].place.layer < layer and not holder[name].children:
            del holder[name]


def each(root: ImageEntry) -> Iterator[tuple[str, ImageEntry]]:
    """Yield every entry below a directory with its path, parent directories first."""
    pending = [("", root)]
    while pending:
        path, entry = pending.pop()
        for name, child in (entry.children or {}).items():
            yield f"{path}/{name}", child
            if child.children:
                pending.append((f"{path}/{name}", child))
