"""Checks of a certification path. The rules of a client are a list of these checks.

A check gets the path, the time and the host (or None), and returns a refusal or None. Clause numbers are from RFC 5280.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from rootfs_trust.audit.verify import verdict
from rootfs_trust.audit.verify.constraints import NameConstraintRules, forbidden_name
from rootfs_trust.audit.verify.gnutls_names import refused_by_name_constraints
from rootfs_trust.audit.verify.host_names import is_address, matches, names_of, no_alternative_name, wrong_name
from rootfs_trust.audit.verify.java_names import refused_by_java_constraints
from rootfs_trust.audit.verify.lazy_certificate import HANDLED, Parsed
from rootfs_trust.audit.verify.paths import Path
from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.name import ADDRESS, DNS, OTHER_NAME, URI
from rootfs_trust.x509.oids import ANY_PURPOSE, BASIC_CONSTRAINTS, COMMON_NAME, SERVER_AUTH, SUBJECT_ALTERNATIVE_NAME

Check = Callable[[Path, datetime, "str | None"], "Refusal | None"]

_SERVER_GATED = ("2.16.840.1.113730.4.1", "2.16.840.1.113733.1.8.1")  # server-gated cryptography of the nineties


def valid(path: Path, at: datetime, _: str | None) -> Refusal | None:
    """Refuse if a certificate, the anchor included, is not valid at the time (6.1.3)."""
    return _first(outside_validity(each, at) for each in path.certificates)


def in_date_below_anchor(path: Path, at: datetime, _: str | None) -> Refusal | None:
    """Refuse if a certificate other than the anchor is not valid at the time."""
    judged = path.certificates if path.pinned else path.certificates[:-1]
    return _first(outside_validity(each, at) for each in judged)


def outside_validity(certificate: Certificate, at: datetime) -> Refusal | None:
    """Refuse a certificate that is not valid at the time."""
    if certificate.not_before is None or at < certificate.not_before:
        return verdict.not_yet_valid(certificate)
    if certificate.not_after is None or at > certificate.not_after:
        return verdict.expired(certificate)
    return None


def well_made(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if a certificate other than the anchor, or an extension in it, cannot be parsed strictly."""
    for link in path.links if path.pinned else path.links[:-1]:
        if not link.well_made and link.certificate.extended_key_usage != frozenset():
            return Refusal("malformed", f"{named(link.certificate)} is not well-formed, so strict clients refuse it")
    return None


def readable(fault: Callable[[Certificate], str]) -> Check:
    """Return a check that refuses unreadable certificates. ``fault`` returns the reason, or an empty string."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for certificate in path.certificates:
            reason = fault(certificate)
            if reason:
                return Refusal("malformed", f"{named(certificate)} cannot be read: {reason}")
        return None

    return check


def no_unknown_critical(*more: str, without: Sequence[str] = ()) -> Check:
    """Return a check for unknown critical extensions (4.2).

    ``more`` are OIDs that this client also supports; ``without`` are OIDs that it does not.
    """

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        return _unknown_critical(path.links, more, without)

    return check


def no_unknown_critical_below(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse unknown critical extensions, but ignore those of the anchor."""
    return _unknown_critical(path.links[:1] if path.pinned else path.links[:-1])


def _unknown_critical(
    links: Iterable[Parsed], known: Sequence[str] = (), unheard: Sequence[str] = ()
) -> Refusal | None:
    for link in links:
        critical = link.certificate.critical
        unknown = [oid for oid in critical if oid in unheard or (oid not in HANDLED and oid not in known)]
        if unknown:
            what = f"a critical extension ({unknown[0]}) that this client does not support"
            return Refusal("other", f"{named(link.certificate)} has {what}")
    return None


def server_is_no_ca(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse a server certificate with CA:TRUE, as webpki does."""
    certificate = path.server.certificate
    if certificate.basic_constraints and certificate.basic_constraints.ca:
        message = (
            f"{named(certificate)} is a CA used as a server's certificate, which rustls refuses (CaUsedAsEndEntity)"
        )
        return Refusal("ca-names-server", f"{message}; have the server's certificate issued with CA:FALSE")
    return None


def intermediates_are_cas(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if an intermediate is not a CA (4.2.1.9)."""
    return _first(_no_ca(link.certificate) for link in path.intermediates)


def issuers_are_cas(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if an intermediate or the anchor is not a CA. An anchor of version 1 is accepted."""
    old = path.anchor.certificate.version < 3
    return _first(_no_ca(link.certificate) for link in path.links[1 : -1 if old else None])


def _no_ca(certificate: Certificate) -> Refusal | None:
    if certificate.basic_constraints and certificate.basic_constraints.ca:
        return None
    return Refusal("not-a-ca", f"{named(certificate)} has signed a certificate and does not say that it is a CA")


def anchor_is_or_may_be_a_ca(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse an anchor with ``CA:FALSE``. Accept one without basicConstraints, and any of version 1."""
    anchor = path.anchor.certificate
    says_nothing = anchor.self_signed and BASIC_CONSTRAINTS not in anchor.extension_ids
    return None if anchor.version == 1 or says_nothing else _no_ca(anchor)


def issuers_with_usage_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Like :func:`issuers_may_sign`, but ignore a key usage in which no bit is set."""
    return _may_sign(each for each in path.certificates[1:] if each.key_usage)


def issuers_of_version_3_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Like :func:`issuers_with_usage_may_sign`, but ignore an anchor of version 1."""
    return _may_sign(path.certificates[1 : -1 if path.anchor.certificate.version == 1 else None])


def server_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if the server's key usage lacks digitalSignature, which ECDHE and TLS 1.3 need."""
    usage = path.server.certificate.key_usage
    if usage is None or "digitalSignature" in usage:
        return None
    return Refusal("purpose", f"{named(path.server.certificate)} has a key usage without digitalSignature")


def issuers_may_sign(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if an issuer's key usage lacks keyCertSign (4.2.1.3)."""
    return _may_sign(path.certificates[1:])


def _may_sign(issuers: Iterable[Certificate]) -> Refusal | None:
    for certificate in issuers:
        if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
            message = f"{named(certificate)} has signed a certificate, and its key usage does not allow that"
            return Refusal("not-a-ca", message)
    return None


def path_lengths(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Check pathLenConstraint of every issuer. Self-issued certificates count, as in Go and webpki."""
    return _path_length(path.certificates)


def path_lengths_below(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Like :func:`path_lengths`, but ignore the pathLenConstraint of the anchor."""
    return _path_length(path.certificates[:-1])


def path_lengths_of_others(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Like :func:`path_lengths_below`, but do not count self-issued certificates (6.1.4)."""
    below = 0
    for certificate in path.certificates[1:-1]:
        refusal = _allows(certificate, below)
        if refusal:
            return refusal
        below += not certificate.self_issued
    return None


def _path_length(certificates: tuple[Certificate, ...]) -> Refusal | None:
    return _first(_allows(certificate, below) for below, certificate in enumerate(certificates[1:]))


def _allows(certificate: Certificate, below: int) -> Refusal | None:
    constraints = certificate.basic_constraints
    length = constraints.path_length if constraints and constraints.ca else None
    if length is not None and below > length:
        return Refusal("not-a-ca", f"{named(certificate)} allows {length} CAs below it, and there are {below}")
    return None


def server_purpose(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if the server's extended key usage lacks serverAuth (4.2.1.12)."""
    return _purpose(path.certificates[:1])


def named_server_purpose_but_anchor(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if the server's or an intermediate's extended key usage lacks serverAuth.

    As in webpki, anyExtendedKeyUsage is not accepted instead.
    """
    for certificate in path.certificates[: max(1, len(path.links) - 1)]:
        usages = certificate.extended_key_usage
        if usages is not None and SERVER_AUTH not in usages:
            return _no_purpose(certificate)
    return None


def purpose_of_gnutls(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Check the extended key usage of the server and the intermediates as GnuTLS does.

    An intermediate with anyExtendedKeyUsage is refused. An empty extended key usage is ignored.
    """
    for certificate in (link.certificate for link in path.intermediates):
        usages = certificate.extended_key_usage
        if usages and not usages & {SERVER_AUTH, *_SERVER_GATED}:
            return _no_purpose(certificate)
    return _purpose(each for each in path.certificates[:1] if each.extended_key_usage)


def server_auth_on_all_ignoring_empty(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Refuse if any certificate, also the anchor, has an extended key usage without serverAuth. Ignore empty ones."""
    return _purpose(each for each in path.certificates if each.extended_key_usage)


def _purpose(certificates: Iterable[Certificate]) -> Refusal | None:
    for certificate in certificates:
        usages = certificate.extended_key_usage
        if usages is not None and not usages & {SERVER_AUTH, ANY_PURPOSE}:
            return _no_purpose(certificate)
    return None


def _no_purpose(certificate: Certificate) -> Refusal:
    return Refusal("purpose", f"{named(certificate)} is not for servers: its extended key usage lacks serverAuth")


def name_constraints(understanding: NameConstraintRules, *, anchor: bool = True) -> Check:
    """Return a check of the name constraints of every issuer (4.2.1.10), with or without the anchor's."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for depth, issuer in enumerate(path.certificates[1 : None if anchor else -1], 1):
            refusal = _broken(issuer, path.certificates[:depth], understanding)
            if refusal:
                return refusal
        return None

    return check


def name_constraints_of_java(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Check the combined name constraints of all issuers except the anchor, as Java does.

    They apply to the server and to every issuer that is not self-issued.
    """
    judged = path.certificates[:-1]
    for depth, certificate in enumerate(judged):
        if depth == 0 or not certificate.self_issued:
            message = refused_by_java_constraints(judged[:depth:-1], certificate)
            if message:
                return Refusal("constraints", f"the name constraints of its issuers forbid {message}")
    return None


def name_constraints_of_gnutls(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Check the combined name constraints of all issuers against the server's names only, as GnuTLS does."""
    server, *issuers = path.certificates
    message = refused_by_name_constraints(issuers[::-1], server, _purpose([server]) is None)
    return Refusal("constraints", f"the name constraints of its issuers forbid {message}") if message else None


def _broken(issuer: Certificate, below: Sequence[Certificate], understanding: NameConstraintRules) -> Refusal | None:
    message = forbidden_name(issuer, below, understanding)
    return Refusal("constraints", f"the name constraints of {named(issuer)} forbid {message}") if message else None


def host_in_alternative_name(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """Refuse if the subjectAltName does not contain the host. The common name is ignored."""
    server = path.server.certificate
    names = names_of(server)
    if host is None or names.include(host, common_name=False):
        return None
    return wrong_name(server, host) if names.hosts else no_alternative_name(server)


def host_in_alternative_name_of_go(path: Path, at: datetime, host: str | None) -> Refusal | None:
    """Like :func:`host_in_alternative_name`, but a wildcard may precede a single label."""
    names = names_of(path.server.certificate)
    if host is not None and not is_address(host) and any(matches(name, host, short=True) for name in names.dns):
        return None
    return host_in_alternative_name(path, at, host)


def host_in_san_or_common_name(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """Refuse if neither the subjectAltName nor, if that has no DNS name, the common name matches the host."""
    server = path.server.certificate
    if host is None or names_of(server).include(host, common_name=True):
        return None
    return wrong_name(server, host)


def host_named_for_gnutls(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """Match the host as GnuTLS does: the subjectAltName, or else the only common name.

    The common name is used if the subjectAltName has no host, address, URI or service. A wildcard may be the beginning
    of the first label.
    """
    server = path.server.certificate
    if host is None:
        return None
    names = names_of(server)
    if is_address(host):
        return None if names.include(host, common_name=False) else wrong_name(server, host)
    common_names = server.subject.texts("2.5.4.3")
    hosts = names.dns
    if not any(each.tag in (DNS, ADDRESS, URI, OTHER_NAME) for each in server.alternative_names):
        hosts = tuple(common_names) if len(common_names) == 1 and _purpose([server]) is None else ()
    return None if any(matches(name, host) for name in hosts) else wrong_name(server, host)


def host_named_for_mbedtls(path: Path, _: datetime, host: str | None) -> Refusal | None:
    """Match the host as Mbed TLS does: a DNS name in the subjectAltName, or without that extension any common name.

    2.28 does not support addresses. 3.4 and later do, but are treated like 2.28 here.
    """
    server = path.server.certificate
    if host is None:
        return None
    names = (
        names_of(server).dns
        if SUBJECT_ALTERNATIVE_NAME in server.extension_ids
        else tuple(server.subject.texts(COMMON_NAME))
    )
    return None if any(matches(name, host, short=True) for name in names) else wrong_name(server, host)


def signed_in_turn(path: Path, _: datetime, __: str | None) -> Refusal | None:
    """Verify every signature, for clients that select issuers only by names and identifiers."""
    for below, above in zip(path.links, path.links[1:], strict=False):
        if not below.signed_by(above):
            message = f"the key of {named(above.certificate)} has not signed {named(below.certificate)}"
            return Refusal("bad-signature", f"{message}, and this client tries no other issuer")
    return None


def keys(weak: Callable[[Certificate], str]) -> Check:
    """Return a check of all keys. ``weak`` describes a key that the client refuses, or returns an empty string."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for certificate in path.certificates:
            key = weak(certificate)
            if key:
                return Refusal("weak", f"{named(certificate)} has {key}")
        return None

    return check


def server_key(weak: Callable[[Certificate], str]) -> Check:
    """Return a check of the server's key. ``weak`` is as in :func:`keys`."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        server = path.server.certificate
        key = weak(server)
        return Refusal("weak", f"{named(server)} has {key}") if key else None

    return check


def signatures(weak: Callable[[Certificate, Certificate], str]) -> Check:
    """Return a check of all signatures. ``weak`` says why the client refuses one, or returns an empty string."""

    def check(path: Path, _: datetime, __: str | None) -> Refusal | None:
        for below, above in zip(path.certificates, path.certificates[1:], strict=False):
            reason = weak(below, above)
            if reason:
                return Refusal("weak", f"{named(below)} {reason}")
        return None

    return check


def _first(refusals: Iterable[Refusal | None]) -> Refusal | None:
    return next((each for each in refusals if each), None)
