"""Result types of ``verify``: a refusal, the verdict at one time, the verdict of a client, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rootfs_trust.times import rfc3339
from rootfs_trust.x509 import Certificate

REFUSALS = {
    "algorithm": "This version of the client does not support a key or signature of the chain.",
    "bad-signature": "A signature of the chain is wrong.",
    "blocked": "The client has a list of blocked keys, and one of the chain is on it.",
    "client": "The client trusts nobody.",
    "constraints": "Name or path length constraints of a CA exclude the server.",
    "distrusted": "The store distrusts the certificate.",
    "host-name": "The certificate is for other names.",
    "malformed": "The client cannot read a certificate of the chain.",
    "other": "The client refuses for another reason, which the sentence gives.",
    "purpose": "A certificate of the chain is not for TLS servers.",
    "weak": "A key or signature is too weak for the client.",
}
"""Why a client refuses a chain, by id. The others are ids of findings: ``issuer-missing``, ``expired``,
``not-yet-valid``, ``not-a-ca`` and ``ca-names-server``.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for which a client refuses a chain: a stable ``id`` and a sentence."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The verdict of a client at one time: the trusted path, anchor last, or the refusal."""

    path: tuple[Certificate, ...] = ()
    refusal: Refusal | None = None

    @property
    def trusted(self) -> bool:
        """Whether the client trusts the chain."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class TrustEnd:
    """The time at which a client stops trusting the chain, and the reason. ``sure`` is False for a date from a
    published schedule.
    """

    at: datetime
    reason: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one client. ``horizon`` is None if the chain is refused now."""

    client: str
    trusted: bool
    reason: str
    id: str
    searched: str
    note: str = ""
    horizon: TrustEnd | None = None
    path: tuple[Certificate, ...] = ()


def named(certificate: Certificate) -> str:
    """Return the subject of a certificate, or its fingerprint if the subject is empty."""
    return certificate.subject.text or f"the certificate {certificate.sha256[:16]}"


def expired(certificate: Certificate) -> Refusal:
    """Return the refusal of an expired certificate."""
    end = rfc3339(certificate.not_after) if certificate.not_after else "a time that cannot be read"
    return Refusal("expired", f"{named(certificate)} has expired: it was valid until {end}")


def not_yet_valid(certificate: Certificate) -> Refusal:
    """Return the refusal of a certificate that is not valid yet."""
    begin = rfc3339(certificate.not_before) if certificate.not_before else "a time that cannot be read"
    return Refusal("not-yet-valid", f"{named(certificate)} is not yet valid: it is valid from {begin}")


def missing_issuer(certificate: Certificate, searched: str) -> Refusal:
    """Return the refusal of a certificate whose issuer the client does not find."""
    issuer = certificate.issuer
    what = f"{issuer.text or 'an empty name'} (subject hash {issuer.hash})"
    if certificate.self_issued:
        return Refusal("issuer-missing", f"{named(certificate)} is self-signed, and {what} is not in {searched}")
    return Refusal("issuer-missing", f"the issuer of {named(certificate)} is missing: {what} is not in {searched}")


def distrusted(certificate: Certificate, path: str) -> Refusal:
    """Return the refusal of a certificate that OpenSSL's trust settings reject for servers."""
    return Refusal(
        "distrusted", f"{named(certificate)} is distrusted: the trust settings in {path} reject it for servers"
    )
