"""The hash directory of a store: a ``.pem`` link for each source, and the hash links over all that is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.rootfs.nodes import Absent, File, Symlink, View, join, read
from rootfs_trust.store import hashdir
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.source import Source

_MANGLED = str.maketrans({" ": "_", ",": "_", "(": "=", ")": "="})


def link_name(path: str) -> str:
    """The name of a source's link: its base name, blanks and commas as ``_``, round brackets as ``=``."""
    return path.rpartition("/")[2].removesuffix(".crt").translate(_MANGLED) + ".pem"


def hash_directory(view: View, layout: Layout, sources: Iterable[Source]) -> dict[str, Symlink | Absent]:
    """What the layout's hash directory should hold of ours, in the order of writing.

    Files of others stay, and get their hash links as ``openssl rehash`` gives them. The bundle gets none, even
    when it holds a single certificate.
    """
    # Of two sources with one link name the last one wins, as with the shell's ln -sf.
    ours = {link_name(source.path): source for source in sources}
    actual = view.names(layout.hash_directory)
    entries = [_entry_of_source(name, source) for name, source in ours.items()]
    entries += _entries_of_others(view, layout, actual, ours)
    links = hashdir.links(entries)
    wanted = {name: Symlink(source.path) for name, source in ours.items()}
    wanted |= {name: Symlink(links[name]) for name in sorted(links, key=_higher_numbers_first)}
    gone = {name: Absent() for name in actual if name not in wanted and _is_stale(view, layout, name)}
    return {join(layout.hash_directory, name): node for name, node in (wanted | gone).items()}


def _entry_of_source(name: str, source: Source) -> hashdir.Entry:
    if source.clean:
        return hashdir.entry_of(name, source.certificates[0])
    # An untidy source was told already; here it only matters what OpenSSL makes of it.
    return hashdir.read_entry(name, source.data)


def _entries_of_others(
    view: View, layout: Layout, names: list[str], ours: dict[str, Source]
) -> Iterator[hashdir.Entry]:
    bundle = layout.bundle.rpartition("/")[2]
    for name in names:
        if name in ours or name == bundle or not hashdir.rehashable(name) or _is_stale(view, layout, name):
            continue
        path = join(layout.hash_directory, name)
        data = read(view, path) if view.kind(path) is File else None
        if data is not None:
            yield hashdir.read_entry(name, data)


def _is_stale(view: View, layout: Layout, name: str) -> bool:
    """Whether ``name`` is a link that a run of the tool made: a hash link, or one that leads to a source."""
    path = join(layout.hash_directory, name)
    if view.kind(path, follow=False) is not Symlink:
        return False
    if hashdir.is_hash_link_name(name):
        return True
    node = view.node(path)
    return isinstance(node, Symlink) and node.points_to.startswith((f"{layout.shipped}/", f"{layout.local}/"))


def _higher_numbers_first(name: str) -> tuple[str, int]:
    """So that a certificate whose number grows has its new link before its old one is given to another."""
    value, _, number = name.partition(".")
    return value, -int(number.lstrip("r"))
