"""The roots that the tree has from Mozilla's programme, through its distribution, and when they are due to go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple

from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.audit.verify.verdict import named
from rootfs_trust.rootfs.nodes import Directory
from rootfs_trust.store.p11kit.found import find
from rootfs_trust.store.p11kit.places import TOKENS
from rootfs_trust.store.presets import leaves_programme
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.details import moment
from rootfs_trust.x509.primitive import UTC_TIME

_MOZILLA = "/usr/share/ca-certificates/mozilla"
"""Where Debian, Alpine and Yocto keep them, a file each; other packages have folders of their own beside it."""

_LONGEST_VALIDITY = timedelta(days=398)
"""Of a public server certificate (CA/Browser Forum, Baseline Requirements, 6.3.2)."""


class Removal(NamedTuple):
    """When a root is due to leave the programme, and why; the distribution's updates follow it."""

    at: datetime
    reason: str


class Shipped:
    """Asked for a certificate: when it is due to go. The tree is read at the first question."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __call__(self, certificate: Certificate) -> Removal | None:
        """None for one that is not of the programme, or whose begin cannot be read."""
        if certificate.sha256 not in self._distrusted_after or certificate.not_before is None:
            return None
        leaves = datetime.combine(leaves_programme(certificate.not_before.date()), time(), UTC)
        removal = Removal(leaves, f"Mozilla is due to drop {named(certificate)} for web sites")
        after = self._distrusted_after[certificate.sha256]
        if after is not None and after + _LONGEST_VALIDITY < leaves:
            what = f"Mozilla trusts nothing that {named(certificate)} issues after {after:%Y-%m-%d}"
            removal = Removal(after + _LONGEST_VALIDITY, f"{what}, and drops it when all else has expired")
        return removal._replace(reason=f"{removal.reason}, and the distribution's updates follow")

    @cached_property
    def _distrusted_after(self) -> dict[str, datetime | None]:
        """The roots by their SHA-256, each with the day after which what it issues is not trusted, if there is one."""
        return dict((*self._of_files(), *self._of_p11kit()))

    def _of_files(self) -> Iterator[tuple[str, datetime | None]]:
        files = (self._reading.openssl_bundle(path) for path in self._reading.files_in(_MOZILLA))
        return ((anchor.certificate.sha256, None) for file in files if file for anchor in file.anchors)

    def _of_p11kit(self) -> Iterator[tuple[str, datetime | None]]:
        """What the packages of Fedora and its kin say of each root, ``nss-server-distrust-after`` among it."""
        view = self._reading.view
        for tokens in TOKENS.values():
            if any(view.kind(token) is Directory for token in tokens):
                for entry in find(view, tokens).shipped():
                    if entry.certificate and entry.mozilla:
                        yield entry.certificate.sha256, moment((UTC_TIME, entry.server_distrust_after))
