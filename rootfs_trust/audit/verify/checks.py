"""What the clients ask of a path, each question on its own; a client's rules are a list of them. Pure.

A check takes the path, the time and the host (or None) and gives a refusal or None. Numbers of clauses are RFC 5280's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.constraints import Understanding, breach
from rootfs_trust.audit.verify.host_names import is_address, matches, names_of, no_alternative_name, wrong_name
from rootfs_trust.audit.verify.parsed import Parsed
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate

Check = Callable[[Path, datetime, "str | None"], "Refusal | None"]

SERVER_AUTH, ANY_USAGE = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"


def valid(path: Path, at: datetime, _: str | None) -> Refusal | None:
    """Every certificate is valid at the time, the anchor too (6.1.3)."""
    return _first(_outside(each, at) for each in path.certificates)


def valid_but_anchor(path: Path, at: datetime, _: str | None) -> Refusal | None:
    """Every certificate but the anchor is valid at the time."""
    judged = path.certificates if path.pinned else path.certificates[:-1]
    return _first(_outside(each, at) for each in judged)


def _outside(certificate: Certificate, at: datetime) -> Refusal | None:
    if certificate.not_before is None or at < certificate.not_before:
        return verdict.not_yet_valid(certificate)
    if certificate.not_after is None or at > certificate.not_after:
        return verdict.expired(certificate)
    return None


def well_made(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Every certificate but the anchor, and every extension in it, can be read, also an empty extended key usage."""
    for link in path.links if path.pinned else path.links[:-1]:
        if not link.well_made and link.certificate.extended_key_usage != frozenset():
            return Refusal("malformed", f"{named(link.certificate)} is not well made, and is refused by strict readers")
    return None


def readable(fault: Callable[[Certificate], str]) -> Check:
    """``fault`` tells of a certificate why the client cannot read it, or gives nothing."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for certificate in path.certificates:
            reason = fault(certificate)
            if reason:
                return Refusal("malformed", f"{named(certificate)} cannot be read: {reason}")
        return None

    return check


def no_unknown_critical(*more: str) -> Check:
    """No critical extension is unknown (4.2); ``more`` are dotted OIDs that this client knows."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        return _unknown_critical(path.links, more)

    return check


def no_unknown_critical_below(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """The same; of the anchor nothing is asked."""
    return _unknown_critical(path.links[:1] if path.pinned else path.links[:-1])


def _unknown_critical(links: Iterable[Parsed], known: Sequence[str] = ()) -> Refusal | None:
    for link in links:
        unknown = [oid for oid in link.unknown_critical if oid not in known]
        if unknown:
            what = f"a critical extension ({unknown[0]}) that this client does not know"
            return Refusal("other", f"{named(link.certificate)} has {what}")
    return None


def server_is_no_ca(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """webpki: a certificate with CA:TRUE is no server's."""
    certificate = path.server.certificate
    if certificate.basic_constraints and certificate.basic_constraints.ca:
        message = (
            f"{named(certificate)} is a CA used as a server's certificate, which rustls refuses (CaUsedAsEndEntity)"
        )
        return Refusal("ca-as-server", f"{message}; make the server's with CA:FALSE")
    return None


def intermediates_are_cas(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """What stands between server and anchor says that it is a CA (4.2.1.9)."""
    return _first(_no_ca(link.certificate) for link in path.intermediates)


def issuers_are_cas(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """The anchor as well, unless it is of version 1, which cannot say so."""
    old = path.anchor.certificate.version < 3
    return _first(_no_ca(link.certificate) for link in path.links[1 : -1 if old else None])


def _no_ca(certificate: Certificate) -> Refusal | None:
    if certificate.basic_constraints and certificate.basic_constraints.ca:
        return None
    return Refusal("not-a-ca", f"{named(certificate)} has signed a certificate and does not say that it is a CA")


def anchor_is_not_said_to_be_no_ca(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """An anchor that says nothing will do."""
    return _no_ca(path.anchor.certificate) if path.anchor.certificate.basic_constraints else None


def issuers_with_usage_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """As :func:`issuers_may_sign`, and a key usage without a bit counts as none."""
    return _may_sign(each for each in path.certificates[1:] if each.key_usage)


def server_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """The server's key usage, where there is one, has digitalSignature, which ECDHE and TLS 1.3 need."""
    usage = path.server.certificate.key_usage
    if usage is None or "digitalSignature" in usage:
        return None
    return Refusal("purpose", f"{named(path.server.certificate)} has a key usage without digitalSignature")


def issuers_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """A key usage, where there is one, has keyCertSign (4.2.1.3)."""
    return _may_sign(path.certificates[1:])


def _may_sign(issuers: Iterable[Certificate]) -> Refusal | None:
    for certificate in issuers:
        if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
            message = f"{named(certificate)} has signed a certificate, and its key usage does not allow that"
            return Refusal("not-a-ca", message)
    return None


def path_lengths(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """pathLenConstraint of every issuer; self-issued certificates count, as they do for Go and webpki."""
    return _path_length(path.certificates)


def path_lengths_below(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """The same; the anchor's own does not count."""
    return _path_length(path.certificates[:-1])


def path_lengths_of_others(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """As :func:`path_lengths_below`, and self-issued certificates do not count (6.1.4)."""
    server, *issuers = path.certificates[:-1]
    return _path_length((server, *(each for each in issuers if not each.self_issued)))


def _path_length(certificates: tuple[Certificate, ...]) -> Refusal | None:
    for below, certificate in enumerate(certificates[1:]):
        constraints = certificate.basic_constraints
        length = constraints.path_length if constraints and constraints.ca else None
        if length is not None and below > length:
            return Refusal("not-a-ca", f"{named(certificate)} allows {length} CAs below it, and there are {below}")
    return None


def server_purpose(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """An extended key usage of the server's certificate has serverAuth (4.2.1.12)."""
    return _purpose(path.certificates[:1])


def purpose_but_anchor(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Those of the intermediates, too."""
    return _purpose(path.certificates[: max(1, len(path.links) - 1)])


def named_purpose_of_all(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """That of the anchor, too, and one that names nothing counts as none."""
    return _purpose(each for each in path.certificates if each.extended_key_usage)


def _purpose(certificates: Iterable[Certificate]) -> Refusal | None:
    for certificate in certificates:
        usages = certificate.extended_key_usage
        if usages is not None and not usages & {SERVER_AUTH, ANY_USAGE}:
            return Refusal(
                "purpose", f"{named(certificate)} is not for servers: its extended key usage lacks serverAuth"
            )
    return None


def name_constraints(understanding: Understanding, *, anchor: bool = True) -> Check:
    """Name constraints of every issuer (4.2.1.10), with or without those of the anchor, on all names below it."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for depth, issuer in enumerate(path.certificates[1 : None if anchor else -1], 1):
            refusal = _broken(issuer, path.certificates[:depth], understanding)
            if refusal:
                return refusal
        return None

    return check


def name_constraints_on_server(understanding: Understanding) -> Check:
    """Those of every issuer on the server's names alone."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        server = path.certificates[:1]
        return _first(_broken(issuer, server, understanding) for issuer in path.certificates[1:])

    return check


def _broken(issuer: Certificate, below: Sequence[Certificate], understanding: Understanding) -> Refusal | None:
    message = breach(issuer, below, understanding)
    return Refusal("constraints", f"the name constraints of {named(issuer)} forbid {message}") if message else None


def host_in_alternative_name(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """The subjectAltName names the host, and nothing else does."""
    server = path.server.certificate
    names = names_of(server)
    if host is None or names.include(host, common_name=False):
        return None
    return wrong_name(server, host) if names.hosts else no_alternative_name(server)


def host_in_alternative_name_of_go(path: Path, at: datetime, host: str | None) -> Refusal | None:
    """The same, and a star may stand before a single label."""
    names = names_of(path.server.certificate)
    if host is not None and not is_address(host) and any(matches(name, host, short=True) for name in names.dns):
        return None
    return host_in_alternative_name(path, at, host)


def host_named(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """The subjectAltName names the host, or without any DNS name in it the common name does."""
    server = path.server.certificate
    if host is None or names_of(server).include(host, common_name=True):
        return None
    return wrong_name(server, host)


def signatures(weak: Callable[[Certificate, Certificate], str]) -> Check:
    """``weak`` tells of a certificate and its issuer why the client refuses the signature, or gives nothing."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for below, above in zip(path.certificates, path.certificates[1:], strict=False):
            reason = weak(below, above)
            if reason:
                return Refusal("weak", f"{named(below)} {reason}")
        return None

    return check


def _first(refusals: Iterable[Refusal | None]) -> Refusal | None:
    return next((each for each in refusals if each), None)
