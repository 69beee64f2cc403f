"""What a rootfs of Debian's kind holds as sources of its trust store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import File, View, join, read
from rootfs_trust.store.debian import conf
from rootfs_trust.store.source import Source, certificate_files, read_source_at


class Folders(Protocol):
    """The part of a layout that says what is read, and how."""

    @property
    def local(self) -> str:
        """The folder of anchors that the device's owner adds."""

    @property
    def shipped(self) -> str:
        """The folder of anchors that the distribution's package brings."""

    @property
    def conf(self) -> str:
        """The list of trusted shipped anchors."""

    @property
    def bundle(self) -> str:
        """The file that all sources go into, which is none itself."""

    @property
    def conf_header(self) -> str:
        """How a new list begins."""

    @property
    def flat(self) -> bool:
        """Whether the local folder is read without its subfolders, and whatever its files are called."""


@dataclass(slots=True)
class Found:
    """What the rootfs holds before the change. Shipped sources are by their names in the list."""

    conf: bytes = b""
    """The list; where it is missing and anchors are shipped: the one that configuring the package writes."""
    shipped: dict[str, Source] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The names of the trusted ones as the list has them; one that it has twice stands twice in the bundle."""
    distrusted: dict[str, Source] = field(default_factory=dict)
    unlisted: dict[str, Source] = field(default_factory=dict)
    local: dict[str, Source] = field(default_factory=dict)
    """By path."""
    warnings: list[Trouble] = field(default_factory=list)

    @property
    def all(self) -> list[Source]:
        """Every source, trusted or not."""
        return [source for group in (self.shipped, self.distrusted, self.local) for source in group.values()]


def find(view: View, layout: Folders) -> Found:
    """Read the list, the shipped anchors and the local folder."""
    found = Found()
    available = [path.removeprefix(f"{layout.shipped}/") for path in certificate_files(view, layout.shipped)]
    data = read(view, layout.conf)
    if data is None:
        data = conf.new_conf(layout.conf_header, available) if available else b""
    found.conf = data
    _read_shipped(view, layout, available, found)
    for path in _local_files(view, layout, found):
        found.local[path] = read_source_at(view, path)
    return found


def _read_shipped(view: View, layout: Folders, available: Iterable[str], found: Found) -> None:
    listed = conf.parse_conf(found.conf)
    if listed.unterminated:
        message = "its last line has no newline, so update-ca-certificates does not see it, and neither do we"
        found.warnings.append(Trouble("conf-last-line", layout.conf, message, "end the line"))
    for name in listed.trusted:
        if view.kind(join(layout.shipped, name)) is File:
            found.shipped[name] = read_source_at(view, join(layout.shipped, name))
            found.order.append(name)
        else:
            found.warnings.append(_missing(layout, name))
    for name in listed.distrusted:
        if view.kind(join(layout.shipped, name)) is File:
            found.distrusted[name] = read_source_at(view, join(layout.shipped, name))
    for name in available:
        if name not in found.shipped and name not in found.distrusted:
            found.unlisted[name] = read_source_at(view, join(layout.shipped, name))


def _missing(layout: Folders, name: str) -> Trouble:
    message = f"is listed in {layout.conf}, but is not there"
    return Trouble("missing-source", join(layout.shipped, name), message, "take the line out, or bring the file back")


def _local_files(view: View, layout: Folders, found: Found) -> list[str]:
    paths = _all_files(view, layout.local) if layout.flat else certificate_files(view, layout.local, follow=True)
    for path in (path for path in paths if "\n" in path):
        found.warnings.append(Trouble("ignored-source", path, "has a newline in its name, so no tool reads it"))
    if not layout.flat:
        found.warnings += (_ignored(path) for path in _all_files(view, layout.local) if not path.endswith(".crt"))
    return [path for path in paths if "\n" not in path and not _is_bundle(view, layout, path)]


def _is_bundle(view: View, layout: Folders, path: str) -> bool:
    """Whether links of the rootfs make the bundle look like a source: it would grow with each run."""
    return path.endswith(".crt") and _real_place(view, path) == _real_place(view, layout.bundle)


def _real_place(view: View, path: str) -> str:
    folder, _, name = path.rpartition("/")
    return view.real_path(path) or join(view.real_path(folder or "/") or folder, name)


def _ignored(path: str) -> Trouble:
    return Trouble(
        "ignored-source",
        path,
        "does not end in .crt, so update-ca-certificates does not read it",
        "rename it, or take it away",
    )


def _all_files(view: View, folder: str) -> list[str]:
    paths = [join(folder, name) for name in view.names(folder) if not name.startswith(".")]
    return [path for path in paths if view.kind(path) is File]
