"""Certificates that Java's parser refuses although OpenSSL accepts them."""

from __future__ import annotations

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import OID, DerReader
from rootfs_trust.x509.extensions import read_extensions, take_explicit_extensions
from rootfs_trust.x509.oids import BASIC_CONSTRAINTS, KEY_USAGE, oid_contents

_VERSION, _UNIQUE_IDS, _EXTENSIONS = 0x80, {0x81, 0x82}, 0x83  # fields of TBSCertificate (RFC 5280, 4.1)
_BASIC_CONSTRAINTS, _KEY_USAGE = oid_contents(BASIC_CONSTRAINTS), oid_contents(KEY_USAGE)
_SM2 = bytes.fromhex("2a811ccf5501822d")


def refused_by_java(certificate: x509.Certificate) -> str:
    """Return the reason why Java refuses a certificate that OpenSSL accepts, or an empty string. One such entry makes
    Java reject the whole keystore. Found with OpenJDK 17 (sun.security.x509: X509CertInfo, CertificateValidity,
    CertificateExtensions; and sun.security.util.CurveDB). This check is stricter than Java for rarely used curves, and
    for an empty subject with an alternative name. It does not check whether points are on their curve, nor extensions
    other than the two that every CA has.
    """
    try:
        return _refusal(certificate)
    except MalformedError:  # OpenSSL accepts some elements that are not valid DER
        return "it is malformed"


def _refusal(certificate: x509.Certificate) -> str:
    tail, extensions = _tail(certificate)
    if (_EXTENSIONS in tail and certificate.version != 3) or (tail & _UNIQUE_IDS and certificate.version < 2):
        return f"it has fields that version {certificate.version} does not allow"
    if len({oid for oid, _ in extensions}) < len(extensions):
        return "it has an extension twice"
    may_be_nameless = (
        certificate.version > 1 and _EXTENSIONS not in tail
    )  # X509CertInfo.parse: verifyCert is not reached
    if not certificate.issuer.canonical or not (certificate.subject.canonical or may_be_nameless):
        return "its subject or issuer is empty"
    if certificate.not_before is None or certificate.not_after is None:
        return "one of its dates is invalid"
    return _unreadable_extension(certificate, {oid for oid, _ in extensions}) or _unreadable_key(certificate)


def _unreadable_extension(certificate: x509.Certificate, present: set[bytes]) -> str:
    if _BASIC_CONSTRAINTS in present and certificate.basic_constraints is None:
        return "its basicConstraints cannot be read"
    if _KEY_USAGE in present and certificate.key_usage is None:
        return "its keyUsage cannot be read"
    return ""


def _unreadable_key(certificate: x509.Certificate) -> str:
    """Return the reason why Java cannot read the key, or an empty string.

    Java refuses invalid RSA and EC keys, and curves given by parameters. It accepts unknown algorithms.
    """
    if certificate.key_algorithm not in ("RSA", "EC"):
        return ""
    if certificate.key_bits is None:
        return "its key is invalid, or its curve is unknown"
    parameters = _key_parameters(certificate)
    if certificate.key_algorithm == "EC" and parameters.next_tag() != OID:
        return "the curve of its key is given by parameters, not by name"
    if certificate.key_algorithm == "EC" and parameters.oid() == _SM2:
        return "the curve of its key is SM2"
    return ""


def _key_parameters(certificate: x509.Certificate) -> DerReader:
    """Return a reader that is positioned at the parameters of the key's algorithm."""
    body = DerReader(certificate.der).enter().enter()
    for _ in range(6 if body.next_tag() == _VERSION else 5):  # up to the subject
        body.any()
    algorithm = body.enter().enter()
    algorithm.oid()
    return algorithm


def _tail(certificate: x509.Certificate) -> tuple[set[int], list[tuple[bytes, bytes]]]:
    """Return the tags of the fields between the key and the extensions in the signed part, and the extensions."""
    body = DerReader(certificate.der).enter().enter()
    tags = {body.next_tag()}
    while body.more() and body.next_tag() != _EXTENSIONS:
        body.any()
        tags.add(body.next_tag())
    return tags, read_extensions(take_explicit_extensions(body, _EXTENSIONS))
