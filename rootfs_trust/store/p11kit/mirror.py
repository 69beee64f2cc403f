"""A folder that repeats the links of a hash directory, for the clients that look for them there. Pure.

Arch fills /etc/ssl/certs so; Fedora, since its ca-certificates 2025.2.80, adds the hash links to
/etc/pki/tls/certs, where OpenSSL looks for them by default.
"""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.rootfs.nodes import Absent, Symlink, View, join
from rootfs_trust.store.p11kit.directory import HashDirectory
from rootfs_trust.store.p11kit.outputs import HASH_LINK, Desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """``prefix`` is what stands before a file's name in a link. ``files``: the files have links too.

    ``as_found``: only where the folder has such hash links already, and with the prefix that they have.
    """

    path: str
    prefix: str
    files: bool = False
    as_found: bool = False


def described_mirror(mirror: Mirror) -> tuple[str, ...]:
    """The mirror for docs/layouts.md."""
    names = ("LABEL.pem", "HASH.N") if mirror.files else ("HASH.N",)
    where = ", where such links are there already" if mirror.as_found else ""
    return tuple(f"`{mirror.path}/{name}` -> `{mirror.prefix}LABEL.pem`{where}" for name in names)


def mirror_nodes(view: View, mirror: Mirror, made: HashDirectory) -> Desired:
    """The links to the files of ``made``, and those that have to go."""
    prefix = _found_prefix(view, mirror) if mirror.as_found else mirror.prefix
    if not prefix:
        return {}
    texts = {name: name for name in made.files if mirror.files} | _in_order(made.links)
    nodes: Desired = {join(mirror.path, name): Symlink(prefix + text) for name, text in texts.items()}
    stale = (path for path in _own_links(view, mirror, prefix) if path not in nodes)
    return nodes | dict.fromkeys(stale, Absent())


def has_hash_links(view: View, mirror: Mirror) -> bool:
    """Whether the folder is one that holds hash links into the hash directory."""
    return bool(_found_prefix(view, mirror))


def _in_order(links: dict[str, str]) -> dict[str, str]:
    return {name: links[name] for name in sorted(links, key=lambda name: (name[:8], -int(name[9:])))}


def _found_prefix(view: View, mirror: Mirror) -> str:
    """What stands before the name in the first hash link of the folder that leads into the hash directory."""
    ending = mirror.prefix.rpartition("../")[2]
    for name in filter(HASH_LINK.fullmatch, view.names(mirror.path)):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink):
            prefix = "".join(node.points_to.rpartition("/")[:2])
            if prefix.endswith(ending):
                return prefix
    return ""


def _own_links(view: View, mirror: Mirror, prefix: str) -> list[str]:
    """The links of the folder that lead into the hash directory; bundles' links have other names and stay."""
    own: list[str] = []
    for name in view.names(mirror.path):
        node = view.node(join(mirror.path, name))
        if isinstance(node, Symlink) and node.points_to.startswith(prefix):
            own.append(join(mirror.path, name))
    return own
