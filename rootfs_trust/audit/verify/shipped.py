"""The roots that the tree has from Mozilla's programme, through its distribution."""

from __future__ import annotations

from functools import cached_property

from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.x509 import Certificate

_MOZILLA = "/usr/share/ca-certificates/mozilla"
"""Where Debian, Alpine and Yocto keep them, a file each; other packages have folders of their own beside it."""


class Shipped:
    """Asked for a certificate: whether it is one of them. The folder is read at the first question."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __call__(self, certificate: Certificate) -> bool:
        """Whether it is one of Mozilla's here."""
        return certificate.sha256 in self._digests

    @cached_property
    def _digests(self) -> frozenset[str]:
        files = (self._reading.openssl_bundle(path) for path in self._reading.files_in(_MOZILLA))
        return frozenset(anchor.certificate.sha256 for file in files if file for anchor in file.anchors)
