"""How anchors are shown: as rows of a table, as documents of JSON, as lines of CSV."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.audit.trust import TrustedAnchor
from rootfs_trust.cli.table import Column

COLUMNS = (
    Column("NAME", 0),
    Column("ORIGIN", 4),
    Column("KEY", 5),
    Column("EXPIRES", 1),
    Column("DAYS", 2, right=True),
    Column("OUTPUTS", 3),
    Column("HASH", 6),
    Column("SHA-256", 7),
)

_SHORT_DIGEST = 16


def row(anchor: TrustedAnchor, at: datetime) -> tuple[str, ...]:
    """The cells of :data:`COLUMNS`."""
    certificate = anchor.certificate
    days = days_left(anchor, at)
    return (
        anchor.name,
        anchor.origin,
        key_text(anchor),
        f"{certificate.not_after:%Y-%m-%d}" if certificate.not_after else "?",
        "?" if days is None else str(days),
        ",".join(anchor.outputs),
        certificate.subject.hash,
        certificate.sha256[:_SHORT_DIGEST],
    )


def document(anchor: TrustedAnchor, at: datetime | None = None) -> dict[str, object]:
    """The JSON of one anchor; with ``at`` its days left, too."""
    certificate = anchor.certificate
    shown: dict[str, object] = {
        "name": anchor.name,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "subject_hash": certificate.subject.hash,
        "subject_hash_old": certificate.subject.hash_old,
        "sha256": certificate.sha256,
        "key": key_text(anchor),
        "signature": certificate.signature_algorithm,
        "not_before": rfc3339(certificate.not_before),
        "not_after": rfc3339(certificate.not_after),
        "purposes": list(anchor.purposes),
        "origin": anchor.origin,
        "outputs": list(anchor.outputs),
        "paths": list(anchor.paths),
        "sources": list(anchor.sources),
    }
    return shown if at is None else {**shown, "days_left": days_left(anchor, at)}


def key_text(anchor: TrustedAnchor) -> str:
    """``RSA 4096``; the algorithm alone where the key has no size of its own, or makes no sense."""
    certificate = anchor.certificate
    bits = certificate.key_bits
    return f"{certificate.key_algorithm} {bits}" if bits else certificate.key_algorithm


def days_left(anchor: TrustedAnchor, at: datetime) -> int | None:
    """Whole days until it expires, negative afterwards; None if its date cannot be read."""
    ends = anchor.certificate.not_after
    return None if ends is None else (ends - at).days


def rfc3339(time: datetime | None) -> str | None:
    """A time in UTC as RFC 3339 writes it."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")
