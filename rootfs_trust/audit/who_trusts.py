"""Find the clients of a tree that trust a certificate, and the file that each reads."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.selection import Selection


class Trusting(NamedTuple):
    """A client that trusts a certificate, and the file that it reads. Paths are those of the device."""

    client: str
    path: str
    name: str
    sha256: str


def who_trusts(view: View, selection: Selection) -> tuple[Trusting, ...]:
    """Return every client of the tree that trusts a certificate of ``selection``."""
    chosen = (anchor for anchor in Trust(ErrorCollectingView(view)).trusted if selection.matches(anchor.certificate))
    return tuple(
        Trusting(reader.client, reader.path, anchor.name, anchor.certificate.sha256)
        for anchor in chosen
        for reader in dict.fromkeys(each._replace(because="") for each in anchor.readers)
    )
