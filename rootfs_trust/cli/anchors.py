"""Format anchors as table rows, JSON objects and CSV lines."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.audit.root_status import UNLISTED, RootStatus
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.cli.table import Column
from rootfs_trust.times import rfc3339
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import original_of, shown_names
from rootfs_trust.x509.oids import CURVES

COLUMNS = (
    Column("NAME", 0),
    Column("ORIGIN", 4),
    Column("KEY", 5),
    Column("EXPIRES", 1),
    Column("DAYS", 2, right=True),
    Column("OUTPUTS", 7),
    Column("CLIENTS", 9),
    Column("HASH", 6),
    Column("SHA-256", 8),
    Column("STATUS", 3),
)

_SHORT_DIGEST = 16


def row(anchor: TrustedAnchor, at: datetime, status: RootStatus) -> tuple[str, ...]:
    """Return the cells of one row, in the order of :data:`COLUMNS`."""
    certificate = anchor.certificate
    days = days_left(anchor, at)
    return (
        anchor.name,
        anchor.origin,
        key_text(anchor),
        f"{certificate.not_after.date()}" if certificate.not_after else "?",
        "?" if days is None else str(days),
        ",".join(anchor.outputs),
        _clients_text(anchor),
        certificate.subject.hash,
        certificate.sha256[:_SHORT_DIGEST],
        "" if status.word == UNLISTED else status.word,
    )


def listed(anchor: TrustedAnchor, at: datetime, status: RootStatus) -> dict[str, object]:
    """Return the JSON object of one anchor, with the days left at ``at`` and its status in the root data."""
    return {
        **document(anchor),
        "days_left": days_left(anchor, at),
        "status": status.word,
        "status_reason": status.reason or None,
    }


def document(anchor: TrustedAnchor) -> dict[str, object]:
    """Return the JSON object of one anchor."""
    certificate = anchor.certificate
    return {
        "name": anchor.name,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "subject_hash": certificate.subject.hash,
        "subject_hash_old": certificate.subject.hash_old,
        "sha256": certificate.sha256,
        "key": key_text(anchor),
        "signature": certificate.signature_algorithm,
        **_constraints(certificate),
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "purposes": list(anchor.purposes),
        "origin": anchor.origin,
        "outputs": list(anchor.outputs),
        "paths": list(anchor.paths),
        "clients": list(anchor.clients),
        "read_from": [
            {"client": each.client, "path": each.path, **({"because": each.because} if each.because else {})}
            for each in anchor.readers
        ],
        "sources": list(anchor.sources),
    }


def _constraints(certificate: Certificate) -> dict[str, object]:
    """Return the names that the anchor is limited to, or null, and the digest of the original certificate."""
    names = certificate.name_constraints
    return {
        "permitted": names and shown_names(names.permitted),
        "excluded": names and shown_names(names.excluded),
        "original_sha256": original_of(certificate),
    }


def _clients_text(anchor: TrustedAnchor) -> str:
    """Return the kinds of clients that trust the anchor; a client such as ``java:PATH`` becomes ``java``."""
    return ",".join(dict.fromkeys(name.partition(":")[0] for name in anchor.clients)) or "-"


def key_text(anchor: TrustedAnchor) -> str:
    """Return the key as text, such as ``RSA 4096``. Without a known size, return only the algorithm.

    Curves other than NIST's are named, because they have the same sizes.
    """
    certificate = anchor.certificate
    curve = CURVES.get(certificate.key_curve or "", certificate.key_curve or "")
    words = (certificate.key_algorithm, certificate.key_bits, "" if curve.startswith("P-") else curve)
    return " ".join(str(word) for word in words if word)


def days_left(anchor: TrustedAnchor, at: datetime) -> int | None:
    """Return the whole days until it expires (negative if expired), or None if the date cannot be parsed."""
    ends = anchor.certificate.not_after
    return None if ends is None else (ends - at).days


def _time(time: datetime | None) -> str | None:
    return None if time is None else rfc3339(time)
