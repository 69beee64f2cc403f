"""Findings about anchors that a TLS client of the tree cannot read."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import DISTRIBUTION, TrustedAnchor
from rootfs_trust.audit.unreadable_anchors import Loss, losses
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.errors import InputError

CANNOT_READ = FindingType(
    "client-cannot-read",
    (WARNING, ERROR, NOTE),
    "A client cannot read an anchor, and may lose others with it",
    "Only some clients can read a new kind of key, a certificate without a signature, or a critical extension. "
    "Java and programs with Mbed TLS may lose every other anchor. thin-edge.io's HTTPS client loses all of them "
    "because of a malformed file. It is an error if the loss is certain. It is a note for anchors that the "
    "distribution ships.",
    "have this CA issue a certificate that the client can read, or ship a newer version of the client. Most clients "
    "read RSA and P-256 keys, signed, without other critical extensions",
)
KINDS = (CANNOT_READ,)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each anchor and each reason."""
    anchors = {each.certificate.sha256: each for each in inspection.trust.anchors}
    for loss in _losses(inspection):
        anchor = anchors.get(loss.certificate.sha256)
        name = anchor.name if anchor else loss.certificate.subject.text or loss.certificate.sha256
        path = inspection.where(anchor) if anchor else loss.path
        message = f"{name}: {', '.join(loss.clients)}: {loss.reason}"
        yield CANNOT_READ.found(path, message, level=_level(loss, anchor))


def _losses(inspection: Inspection) -> Iterator[Loss]:
    try:
        yield from losses(file_reader(inspection.device))
    except InputError:  # another finding reports unreadable settings
        return


def _level(loss: Loss, anchor: TrustedAnchor | None) -> str:
    """Return the level of the finding: an error if the client loses other anchors for certain, a warning if that
    depends on the program (Mbed TLS).
    """
    if anchor is not None and anchor.origin == DISTRIBUTION and not loss.everything:
        return NOTE
    return ERROR if loss.everything and "java" in loss.clients else WARNING
