"""The nouns of the answer: why a chain is refused, a judgement at one time, a verdict and its horizon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rootfs_trust.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client refuses: a stable ``id``, and a sentence for people.

    Ids: ``missing-issuer``, ``bad-signature``, ``expired``, ``not-yet-valid``, ``name``, ``distrusted``,
    ``ca-as-server``, ``not-a-ca``, ``weak``, ``purpose``, ``constraints``, ``malformed``, ``client``, ``other``.
    """

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a client makes of a chain at one time: the path that it trusts, anchor last; or why it refuses."""

    path: tuple[Certificate, ...] = ()
    refusal: Refusal | None = None

    @property
    def trusted(self) -> bool:
        """Whether the client goes on with the connection."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class Horizon:
    """When a client's trust in the chain ends, to the second, and why. ``sure`` False: by a published schedule."""

    at: datetime
    reason: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """One client's verdict. ``horizon`` is None where the chain is refused now."""

    client: str
    trusted: bool
    reason: str
    id: str
    looked: str
    note: str = ""
    horizon: Horizon | None = None
    path: tuple[Certificate, ...] = ()


def shown(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def named(certificate: Certificate) -> str:
    """A certificate for people: its subject, or its fingerprint where that is empty."""
    return certificate.subject.text or f"the certificate {certificate.sha256[:16]}"


def expired(certificate: Certificate) -> Refusal:
    """Its validity has ended."""
    end = shown(certificate.not_after) if certificate.not_after else "a time that cannot be read"
    return Refusal("expired", f"{named(certificate)} has expired: it was valid until {end}")


def not_yet_valid(certificate: Certificate) -> Refusal:
    """Its validity has not begun."""
    begin = shown(certificate.not_before) if certificate.not_before else "a time that cannot be read"
    return Refusal("not-yet-valid", f"{named(certificate)} is not yet valid: it is valid from {begin}")


def missing_issuer(certificate: Certificate, looked: str) -> Refusal:
    """Nothing that the client finds has signed it."""
    issuer = certificate.issuer
    what = f"{issuer.text or 'an empty name'} (subject hash {issuer.hash})"
    if certificate.self_issued:
        return Refusal("missing-issuer", f"{named(certificate)} is self-signed, and {what} is not in {looked}")
    return Refusal("missing-issuer", f"the issuer of {named(certificate)} is missing: {what} is not in {looked}")


def distrusted(certificate: Certificate, path: str) -> Refusal:
    """OpenSSL's trust settings behind it reject it for servers."""
    return Refusal(
        "distrusted", f"{named(certificate)} is distrusted: the trust settings in {path} reject it for servers"
    )
