"""Hash directories that contain the shipped roots, but that no tool of the layout maintains, so that ``install`` adds
no anchor.

Azure Linux 2 has one with ca-certificates-legacy: bundle2pem.sh fills /etc/pki/tls/certs when the package changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.clients.table import HASH_DIRECTORIES
from rootfs_trust.errors import HASH_DIRECTORY_APART, Problem
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.view import Desired, File, View, parent
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.hash_links import is_looked_up, is_looked_up_first

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_HINT = (
    "programs that give OpenSSL this directory do not trust it: copy the certificate there as NAME.pem and run "
    "rootfs-trust rehash --root; where ca-certificates-legacy made the links, run bundle2pem.sh on the device"
)


def anchors_not_there(view: View, layout: Layout, desired: Desired, installed: list[Anchor]) -> Iterator[Problem]:
    """Return a warning for each such directory that lacks an anchor. A directory with only a few links is expected to
    lack it.
    """
    bundle = desired.get(layout.bundle)
    roots = bundle.content.count(_BEGIN) if isinstance(bundle, File) else 0
    for path in _unmaintained(view, desired) if installed else ():
        names = view.names(path)
        if 2 * sum(map(is_looked_up_first, names)) < roots - len(installed):
            continue
        found = {name[:8] for name in names if is_looked_up(name)}
        lacking = [anchor.name for anchor in installed if anchor.certificate.subject.hash not in found]
        if lacking:
            message = f"has hash links that the distribution's tool does not maintain, and none of {', '.join(lacking)}"
            yield HASH_DIRECTORY_APART(path, message, _HINT)


def _unmaintained(view: View, desired: Desired) -> Iterator[str]:
    """Return the real paths of hash directories to which this run adds no hash link."""
    kept = {view.real_path(parent(path)) for path in desired if is_looked_up(path.rpartition("/")[2])}
    reals = dict.fromkeys(view.real_path(path) for path in HASH_DIRECTORIES)
    for real in reals:
        if real is not None and real not in kept and any(map(is_looked_up_first, view.names(real))):
            yield real
