"""Planned removals: the dates on which Mozilla's root program will remove roots that the distribution ships."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import NamedTuple

from rootfs_trust.audit.verify.verdict import named
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.layouts.with_p11kit import P11KITS
from rootfs_trust.rootfs.view import Directory
from rootfs_trust.store.cloud_roots import removal_date
from rootfs_trust.store.p11kit.sources import find
from rootfs_trust.times import later
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.der import UTC_TIME
from rootfs_trust.x509.times import parse_time

_MOZILLA = "/usr/share/ca-certificates/mozilla"
"""Directory of these roots on Debian, Alpine and Yocto, with one file each."""

_LONGEST_VALIDITY = ((date(2029, 3, 15), 47), (date(2027, 3, 15), 100), (date(2026, 3, 15), 200), (date.min, 398))
"""Maximum validity of a public server certificate in days, by the day of issue (CA/Browser Forum BR, 6.3.2)."""


def _longest_validity(issued: date) -> int:
    """Return the maximum validity in days of a public server certificate issued on that day."""
    return next(days for first, days in _LONGEST_VALIDITY if issued >= first)


class PlannedRemoval(NamedTuple):
    """The date and reason of a root's removal from the root program. Updates of the distribution follow it."""

    at: datetime
    reason: str


class PlannedRemovals:
    """Returns the planned removal of a certificate. Reads the tree on the first call."""

    def __init__(self, reading: FileReader) -> None:
        self._reading = reading

    def __call__(self, certificate: Certificate) -> PlannedRemoval | None:
        """Return the planned removal, or None if the certificate is not in the root program."""
        if certificate.sha256 not in self._distrusted_after or certificate.not_before is None:
            return None
        leaves = datetime.combine(removal_date(certificate.not_before.date()), time(), UTC)
        removal = PlannedRemoval(leaves, f"Mozilla is due to drop {named(certificate)} for web sites")
        after = self._distrusted_after[certificate.sha256]
        ends = None if after is None else later(after, days=_longest_validity(after.date()))
        if after is not None and ends is not None and ends < leaves:
            what = f"Mozilla trusts nothing that {named(certificate)} issues after {after.date()}"
            removal = PlannedRemoval(ends, f"{what}, and will remove it when its older certificates have expired")
        return removal._replace(reason=f"{removal.reason}, and the distribution's updates follow")

    @cached_property
    def _distrusted_after(self) -> dict[str, datetime | None]:
        """The roots by SHA-256, each with the day after which new certificates are not trusted, or None."""
        return dict((*self._of_files(), *self._of_p11kit()))

    def _of_files(self) -> Iterator[tuple[str, datetime | None]]:
        files = (self._reading.openssl_bundle(path) for path in self._reading.files_in(_MOZILLA))
        return ((anchor.certificate.sha256, None) for file in files if file for anchor in file.anchors)

    def _of_p11kit(self) -> Iterator[tuple[str, datetime | None]]:
        """Yield the roots of Fedora and derivatives, with ``nss-server-distrust-after``."""
        view = self._reading.view
        for tokens in (layout.tokens for layout in P11KITS):
            if any(view.kind(token) is Directory for token in tokens):
                for entry in find(view, tokens).shipped():
                    if entry.certificate and entry.mozilla:
                        yield entry.certificate.sha256, parse_time((UTC_TIME, entry.server_distrust_after))
