"""Hash directories as they stand in a tree: the links that they should have, and those that have to go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Absent, Directory, Node, Symlink, View, as_bytes, join, read
from rootfs_trust.store import hashdir

if TYPE_CHECKING:  # rehash has no sources, and starts quicker without what they import
    from rootfs_trust.store.source import Source


def hash_directory(
    view: View, folder: str, links: Mapping[str, tuple[str, Source]], *, bundle: str, stale: Iterable[str]
) -> dict[str, Symlink | Absent]:
    """What the hash directory ``folder`` of a store should hold of ours, in the order of writing.

    ``links`` gives for the name of each of our links its text and its source; ``stale`` are names of links of
    ours that have to go. Files of others stay, and get their hash links as ``openssl rehash`` gives them; the
    file called ``bundle`` gets none, even when it holds a single certificate.
    """
    gone = {name for name in stale if name not in links and name != bundle}
    others = [name for name in view.names(folder) if name not in links and name not in gone and name != bundle]
    entries = [_entry_of_source(name, source) for name, (_, source) in links.items()]
    entries += (entry for entry in _entries(view, folder, others) if entry.linkables)
    nodes: dict[str, Symlink | Absent] = {join(folder, name): Symlink(text) for name, (text, _) in links.items()}
    nodes |= _links(view, folder, entries, ("new",))
    return nodes | {join(folder, name): Absent() for name in sorted(gone, key=as_bytes)}


def hash_links(view: View, folder: str, files: Mapping[str, Source]) -> dict[str, Symlink | Absent]:
    """The hash links of ``folder`` over its ``files``, and those that have to go."""
    return _links(view, folder, [_entry_of_source(name, source) for name, source in files.items()], ("new",))


def links_into(view: View, folder: str, targets: tuple[str, ...]) -> Iterator[str]:
    """The names of links in ``folder`` whose text begins with one of ``targets``."""
    for name, path in ((name, join(folder, name)) for name in view.names(folder)):
        if view.kind(path, follow=False) is Symlink:
            node = view.node(path)
            if isinstance(node, Symlink) and node.points_to.startswith(targets):
                yield name


def rehashed(view: View, folder: str, styles: Iterable[str]) -> tuple[dict[str, Symlink | Absent], list[Trouble]]:
    """The hash links that ``folder`` should have, those that have to go, and what is to be told of its files."""
    entries = list(_entries(view, folder, view.names(folder)))
    warnings = [warning for entry in entries for warning in entry.warnings] + hashdir.duplicates(entries)
    told = [replace(warning, path=join(folder, warning.path)) for warning in warnings]
    return _links(view, folder, entries, styles), told


def _links(
    view: View, folder: str, entries: Iterable[hashdir.Entry], styles: Iterable[str]
) -> dict[str, Symlink | Absent]:
    links = hashdir.links(entries, styles)
    nodes: dict[str, Symlink | Absent] = {
        join(folder, name): Symlink(links[name]) for name in sorted(links, key=_higher_numbers_first)
    }
    old = (join(folder, name) for name in view.names(folder) if hashdir.is_hash_link_name(name) and name not in links)
    return nodes | {path: Absent() for path in old if view.kind(path, follow=False) is Symlink}


def _entries(view: View, folder: str, names: Iterable[str]) -> Iterator[hashdir.Entry]:
    """What each file of ``names`` that may hold a certificate gives to the directory."""
    for name in filter(hashdir.rehashable, names):
        path = join(folder, name)
        data = read(view, path)
        if data is not None:
            yield hashdir.read_entry(name, data)
        else:
            yield hashdir.Entry(name, (), (_no_file(name, view.kind(path)),))


def _no_file(name: str, kind: type[Node] | None) -> Trouble:
    if kind is None:
        return Trouble("dangling-link", name, "is a link that leads nowhere", "remove it, or bring its file back")
    what = "a folder" if kind is Directory else "no regular file"
    return Trouble("no-file", name, f"is {what}, and gets no link", "rename it")


def _entry_of_source(name: str, source: Source) -> hashdir.Entry:
    if source.clean:
        return hashdir.entry_of(name, source.certificates[0])
    # An untidy source was told already; here it only matters what OpenSSL makes of it.
    return hashdir.read_entry(name, source.data)


def _higher_numbers_first(name: str) -> tuple[str, int]:
    """So that a certificate whose number grows has its new link before its old one is given to another."""
    value, _, number = name.partition(".")
    return value, -int(number.lstrip("r"))
