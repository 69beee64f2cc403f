"""The merged layers of an image as a view, with the interface of any other root filesystem. Files are read on
demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rootfs_trust.errors import SPARSE, InputError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.limits import Limits
from rootfs_trust.image.merged_tree import ImageEntry, MemberPlace, WalkedPath, apply_entry, steps, walk
from rootfs_trust.image.tar_stream import Member, members
from rootfs_trust.rootfs.root_directory import MAX_FILE, too_large
from rootfs_trust.rootfs.view import (
    NO_ENVIRONMENT,
    Directory,
    File,
    Node,
    Owner,
    Special,
    Symlink,
    View,
    as_bytes,
    join,
)

_MAX_KEPT = 32 * 1024 * 1024
"""Cache size in bytes for files of trust stores, and again for the files of one other directory."""

_SMALL = 4 * 1024 * 1024
"""Maximum size of a file that is cached in advance: larger than any bundle."""

_LIKELY = (
    "etc/",
    "usr/share/ca-certificates/",
    "usr/local/share/ca-certificates/",
    "usr/share/pki/",
    "usr/lib/os-release",
    "usr/sbin/update-ca-certificates",
    "var/lib/ca-certificates/",
    "var/lib/dpkg/status",
    "usr/lib/environment.d/",
    "usr/lib/systemd/system/",
    "lib/systemd/system/",
    "usr/share/.mono/",
    "usr/share/rootfs-trust/",
)
_LIKELY_NAMES = ("/cacert.pem", "/cacerts.pem", "/cacerts", "/jssecacerts")
"""Files and directories of trust stores and settings. Reading any other file takes another pass through a layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A tar stream that can be read again. ``name`` is its name in messages."""

    name: str
    read: Callable[[], Iterator[bytes]]

    def members(self) -> Iterator[Member]:
        """Yield its entries. Raises InputError if it is malformed or does not match its digest."""
        try:
            yield from self._members()
        except MalformedError as error:
            raise self.broken(error) from error

    def _members(self) -> Iterator[Member]:
        return members(self.read())

    def broken(self, error: MalformedError) -> InputError:
        """Return the error for a malformed layer."""
        return broken(self.name, error.message)


class ImageTree:
    """The merged tree of layers. Implements View. ``environment`` has the variables of the image config."""

    def __init__(
        self, layers: Sequence[Layer], *, whiteouts: bool = True, environment: Mapping[str, str] | None = None
    ) -> None:
        self.environment: Mapping[str, str] = environment or NO_ENVIRONMENT
        self.root = ImageEntry(Directory, MemberPlace(-1, 0))
        self._layers: list[Layer] = []
        self._limits = Limits()
        self._kept = _Kept()
        self._asked = _Kept()
        for layer in layers:
            self.lay(layer, whiteouts=whiteouts)

    @property
    def owner(self) -> Owner:
        """The owner of the root directory."""
        return self.root.owner

    @property
    def newest(self) -> int:
        """The latest modification time of a file or directory, in seconds since 1970."""
        pending, newest = [self.root], 0
        while pending:
            entry = pending.pop()
            newest = max(newest, entry.mtime)
            pending += (entry.children or {}).values()
        return newest

    def lay(self, layer: Layer, *, whiteouts: bool = True) -> None:
        """Add a layer on top of the tree."""
        number = len(self._layers)
        self._layers.append(layer)
        for member in layer.members():
            try:
                apply_entry(self.root, member, number, self._limits, whiteouts=whiteouts)
                if _is_likely(member):
                    self._kept.keep(MemberPlace(number, member.number), member)
            except MalformedError as error:
                raise layer.broken(error) from error

    def entry(self, path: str, *, follow: bool = True) -> ImageEntry | None:
        """Return the entry at ``path``, without its content."""
        way = self._walk(path, follow)
        return way.entries[-1] if way else None

    # -- View --------------------------------------------------------------------------------------------

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`. Raises InputError for a file that is too large or cannot be read."""
        way = self._walk(path, follow)
        if way is None:
            return None
        entry = way.entries[-1]
        if entry.kind is File:
            return File(self._content(path, way), entry.owner, entry.mode)
        if entry.kind is Directory:
            return Directory(entry.owner, entry.mode)
        return Symlink(entry.points_to) if entry.kind is Symlink else Special("special file")

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        entry = self.entry(path, follow=follow)
        return entry.kind if entry else None

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        entry = self.entry(path)
        return sorted(entry.children or (), key=as_bytes) if entry else []

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        way = self._walk(path, follow=True)
        return "/" + "/".join(way.names) if way else None

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        entry = self.entry(path, follow=False)
        return entry.attributes if entry else {}

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`. Nothing is mounted in an image."""
        return False

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        entry = self.entry(path)
        return entry.mtime if entry else None

    def _walk(self, path: str, follow: bool) -> WalkedPath | None:
        return walk(self.root, steps(path)[::-1], follow=follow)

    # -- contents ----------------------------------------------------------------------------------------

    def _content(self, path: str, way: WalkedPath) -> bytes:
        entry = way.entries[-1]
        if entry.size is None:
            raise InputError(SPARSE(path, "is stored as a sparse file"))
        if entry.size > MAX_FILE:
            raise too_large(path, MAX_FILE)
        for kept in (self._kept, self._asked):
            if entry.place in kept.contents:
                return kept.contents[entry.place]
        siblings = (way.entries[-2].children or {}).values()
        self._asked = self._read(entry, siblings)
        return self._asked.contents[entry.place]

    def _read(self, entry: ImageEntry, siblings: Iterable[ImageEntry]) -> _Kept:
        """Return the content of a file. Caches small files of the same directory from the same pass."""
        small = {each.place for each in siblings if each.kind is File and each.size is not None and each.size <= _SMALL}
        found = _Kept()
        for number in sorted({place.layer for place in (*small, entry.place)}):
            for member in self._layers[number].members():
                place = MemberPlace(number, member.number)
                if place == entry.place:
                    found.contents[place] = member.content()
                elif place in small:
                    found.keep(place, member)
        return found


class _Kept:
    """Cached contents, up to a limit."""

    def __init__(self) -> None:
        self.contents: dict[MemberPlace, bytes] = {}
        self._left = _MAX_KEPT

    def keep(self, place: MemberPlace, member: Member) -> None:
        """Cache the content, if it fits."""
        if member.info.size <= self._left:
            self.contents[place] = member.content()
            self._left -= member.info.size


def _is_likely(member: Member) -> bool:
    info = member.info
    if not info.isreg() or info.issparse() or info.size > _SMALL:
        return False
    return info.name.removeprefix("./").startswith(_LIKELY) or info.name.endswith(_LIKELY_NAMES)


def real_place(tree: View, path: str) -> str:
    """Return ``path`` with links in its existing parent directories resolved, but not in the last component."""
    folder, _, missing = path.rpartition("/")
    while folder and (real := tree.real_path(folder)) is None:
        folder, _, name = folder.rpartition("/")
        missing = f"{name}/{missing}"
    return join(real, missing) if folder and real else f"/{missing}"
