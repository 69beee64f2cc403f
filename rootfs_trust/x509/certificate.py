"""Parse X.509 certificates the way OpenSSL does, into an immutable :class:`Certificate`.

Only the structure decides whether a certificate is accepted, as in d2i_X509 (crypto/x509/x_x509.c; RFC 5280, 4.1):
versions, dates, keys and extensions may be invalid. These parts are parsed on first use. An invalid part, or an
extension that occurs twice, counts as absent.

The ``take_`` functions of this package follow the templates of OpenSSL, and raise MalformedError if OpenSSL would
refuse the whole certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import SEQUENCE, DerReader, reader_for_element
from rootfs_trust.x509.extensions import (
    BasicConstraints,
    authority_key_id,
    basic_constraints,
    critical_extensions,
    extended_key_usage,
    key_usage,
    names_servers,
    netscape_ca,
    read_extensions,
    subject_key_id,
    take_explicit_extensions,
)
from rootfs_trust.x509.name import GeneralName, Name, NameConstraints, general_names, name_constraints
from rootfs_trust.x509.oids import (
    AUTHORITY_KEY_ID,
    BASIC_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    NAME_CONSTRAINTS,
    NETSCAPE_TYPE,
    SIGNATURE_ALGORITHMS,
    SUBJECT_ALTERNATIVE_NAME,
    SUBJECT_KEY_ID,
    dotted,
)
from rootfs_trust.x509.parse_cache import cached
from rootfs_trust.x509.public_key import (
    has_named_curve,
    key_algorithm,
    key_bits,
    key_curve,
    take_algorithm,
    take_key,
)
from rootfs_trust.x509.signed_object import SignedObject, reencode
from rootfs_trust.x509.times import parse_time, take_validity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_Value = TypeVar("_Value")

_EXPLICIT_VERSION, _ISSUER_ID, _SUBJECT_ID, _EXPLICIT_EXTENSIONS = 0x80, 0x81, 0x82, 0x83


class _Signed:
    """The signed part, TBSCertificate. Only the structure of its fields has been checked."""

    def __init__(self, reader: DerReader) -> None:
        body = reader.enter(SEQUENCE)
        self.version = _take_version(body)
        self.serial = body.integer()
        self.algorithm = take_algorithm(body)
        self.issuer = Name.take(body)
        self.validity = take_validity(body)
        # Most are self-issued: if issuer and subject have the same bytes, parse the name once.
        self.subject = self.issuer if body.skip(self.issuer.raw) else Name.take(body)
        self.key = take_key(body)
        self.extensions = _take_tail(body)
        reader.leave(body)


class Certificate(SignedObject):
    """An X.509 certificate."""

    def __init__(self, der: bytes, sha256: str, issuer: Name, subject: Name) -> None:
        super().__init__(der, sha256)
        self.issuer = issuer
        self.subject = subject

    def __repr__(self) -> str:
        return f"Certificate({self.subject.text!r})"

    @cached_property
    def _signed(self) -> _Signed:
        """All fields. They are parsed on first use, because often only names and fingerprint are needed."""
        return _Signed(reader_for_element(self.der).enter(SEQUENCE))

    @property
    def version(self) -> int:
        """The version: 1, 2 or 3 in valid certificates. OpenSSL accepts any number."""
        return int.from_bytes(self._signed.version, signed=True) + 1

    @property
    def serial(self) -> int:
        """The serial number, which may be zero, negative or long."""
        return int.from_bytes(self._signed.serial, signed=True)

    @cached_property
    def not_before(self) -> datetime | None:
        """Start of the validity period (UTC), or None if it cannot be parsed."""
        return parse_time(self._signed.validity[0])

    @cached_property
    def not_after(self) -> datetime | None:
        """End of the validity period (UTC), or None if it cannot be parsed."""
        return parse_time(self._signed.validity[1])

    @property
    def signature_algorithm(self) -> str:
        """The usual name of the signature algorithm, such as sha256WithRSAEncryption, or else its dotted OID."""
        oid = dotted(DerReader(self._signed.algorithm).oid())
        return SIGNATURE_ALGORITHMS.get(oid, oid)

    @cached_property
    def is_unsigned(self) -> bool:
        """Whether the signature is empty, as in the trust anchors of RFC 9925."""
        body = reader_for_element(self.der).enter(SEQUENCE)
        body.any()
        take_algorithm(body)
        return len(body.bit_string()) <= 1

    @property
    def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return self._signed.key

    @cached_property
    def key_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in lower-case hexadecimal."""
        return sha256(self.public_key, usedforsecurity=False).hexdigest()

    @property
    def key_algorithm(self) -> str:
        """The key algorithm: RSA, EC, Ed25519, ..., or else the dotted OID."""
        return key_algorithm(self._signed.key)

    @cached_property
    def key_bits(self) -> int | None:
        """The bits of RSA's modulus, of the curve's field or of DSA's prime; None if the key is invalid."""
        return _none_if_malformed(key_bits, self._signed.key)

    @property
    def key_curve(self) -> str | None:
        """The dotted OID of the named curve of an EC key; None for other keys and explicit curves."""
        return _none_if_malformed(key_curve, self._signed.key)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        """BasicConstraints, or None (RFC 5280, 4.2.1.9)."""
        return self._extension(BASIC_CONSTRAINTS, basic_constraints)

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """The bits of the key usage, with the names of RFC 5280, 4.2.1.3, or None."""
        return self._extension(KEY_USAGE, key_usage)

    @cached_property
    def extended_key_usage(self) -> frozenset[str] | None:
        """The dotted OIDs of the extended key usage (RFC 5280, 4.2.1.12), or None."""
        return self._extension(EXTENDED_KEY_USAGE, extended_key_usage)

    @cached_property
    def names_servers(self) -> bool:
        """Whether the subjectAltName has a DNS name or an IP address (RFC 5280, 4.2.1.6)."""
        return bool(self._extension(SUBJECT_ALTERNATIVE_NAME, names_servers))

    @cached_property
    def alternative_names(self) -> tuple[GeneralName, ...]:
        """The names in the subjectAltName (RFC 5280, 4.2.1.6); empty without one."""
        return self._extension(SUBJECT_ALTERNATIVE_NAME, general_names) or ()

    @property
    def alternative_names_are_broken(self) -> bool:
        """Whether the subjectAltName exists, but cannot be parsed."""
        return SUBJECT_ALTERNATIVE_NAME in self._by_oid and not self.alternative_names

    @cached_property
    def name_constraints(self) -> NameConstraints | None:
        """The name constraints (RFC 5280, 4.2.1.10)."""
        return self._extension(NAME_CONSTRAINTS, name_constraints)

    @cached_property
    def critical(self) -> tuple[str, ...]:
        """The dotted OIDs of the critical extensions."""
        return tuple(map(dotted, critical_extensions(self._signed.extensions)))

    @property
    def extension_ids(self) -> frozenset[str]:
        """The dotted OIDs of all extensions, including invalid ones."""
        return frozenset(self._by_oid)

    @cached_property
    def repeats_extension(self) -> bool:
        """Whether an extension occurs twice, which RFC 5280, 4.2, forbids."""
        return any(len(values) > 1 for values in self._by_oid.values())

    @cached_property
    def key_has_named_curve(self) -> bool:
        """Whether the key's algorithm has an OID as its parameters, as a named curve does (RFC 5480, 2.1.1)."""
        return has_named_curve(self._signed.key)

    @cached_property
    def subject_key_id(self) -> bytes | None:
        """The subject key identifier (RFC 5280, 4.2.1.2), or None."""
        return self._extension(SUBJECT_KEY_ID, subject_key_id)

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """The authority key identifier (RFC 5280, 4.2.1.1), or None."""
        return self._extension(AUTHORITY_KEY_ID, authority_key_id)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject == self.issuer

    @property
    def self_signed(self) -> bool:
        """Whether it is self-issued and the key identifiers, if both exist, agree. No signature is checked."""
        ids = self.subject_key_id, self.authority_key_id
        return self.self_issued and (None in ids or ids[0] == ids[1])

    @cached_property
    def is_ca(self) -> bool:
        """Whether OpenSSL treats it as a CA of any kind (check_ca in crypto/x509/v3_purp.c).

        A key usage must allow keyCertSign. Then basicConstraints decides. Without it, a CA is a self-signed certificate
        of version 1, one with that key usage, or one whose Netscape type says so. It is not a CA if one of these
        extensions is malformed or occurs twice.
        """
        netscape = self._extension(NETSCAPE_TYPE, netscape_ca)
        said: dict[str, object] = {NETSCAPE_TYPE: netscape, KEY_USAGE: self.key_usage}
        said[BASIC_CONSTRAINTS] = self.basic_constraints
        if any(value is None and oid in self._by_oid for oid, value in said.items()):
            return False
        if self.key_usage is not None and "keyCertSign" not in self.key_usage:
            return False
        if self.basic_constraints is not None:
            return self.basic_constraints.ca
        return (self.version == 1 and self.self_signed) or self.key_usage is not None or bool(netscape)

    def _extension(self, oid: str, read: Callable[[bytes], _Value]) -> _Value | None:
        found = self._by_oid.get(oid, [])
        return _none_if_malformed(read, found[0]) if len(found) == 1 else None

    @cached_property
    def _by_oid(self) -> dict[str, list[bytes]]:
        values: dict[str, list[bytes]] = {}
        for oid, value in read_extensions(self._signed.extensions):
            values.setdefault(dotted(oid), []).append(value)
        return values


def _none_if_malformed(read: Callable[[bytes], _Value], value: bytes) -> _Value | None:
    try:
        return read(value)
    except MalformedError:
        return None


def parse_certificate(der: bytes, *, trailing: bool = False) -> Certificate:
    """Parse one certificate. Raises MalformedError if OpenSSL refuses it.

    Bytes after it are refused, too, unless ``trailing``. In PEM they are ignored.
    """
    reader = DerReader(der)
    certificate = take_certificate(reader)
    if reader.pos != len(der) and not trailing:
        raise MalformedError("more bytes follow the certificate")
    return certificate


def take_certificate(reader: DerReader) -> Certificate:
    """Take a Certificate. A certificate that was parsed before may be returned as the same object, because files share
    many.
    """
    # The bytes after the element are part of the cache key, because OpenSSL looks at them (see reader_for_element in
    # der.py).
    rest = reader.data[reader.pos : reader.end]
    found = _parsed(rest)
    if isinstance(found, str):
        raise MalformedError(found)
    certificate, length = found
    reader.pos += length
    return certificate


@cached
def _parsed(data: bytes) -> tuple[Certificate, int] | str:
    """Return the certificate and its length, or the message of the error."""
    reader = DerReader(data)
    try:
        return _take_certificate(reader), reader.pos
    except MalformedError as error:
        return error.message  # not the exception, which would keep its frames


def _take_certificate(reader: DerReader) -> Certificate:
    begin = reader.pos
    body = reader.enter(SEQUENCE)
    signed_begin = body.pos
    signed = _Signed(body)
    written = reencode(body.data[signed_begin : body.pos], body)
    reader.leave(body)
    fingerprint = sha256(written, usedforsecurity=False).hexdigest()
    return Certificate(reader.data[begin : reader.pos], fingerprint, signed.issuer, signed.subject)


def _take_version(body: DerReader) -> bytes:
    """Read the version. It is zero if the certificate does not state it."""
    if body.next_tag() != _EXPLICIT_VERSION:
        return b"\0"
    explicit = body.enter(_EXPLICIT_VERSION)
    version = explicit.integer()
    body.leave(explicit)
    return version


def _take_tail(body: DerReader) -> bytes:
    """Take the optional fields after the key: two unique identifiers, and the extensions."""
    for tag in (_ISSUER_ID, _SUBJECT_ID):
        if body.next_tag() == tag:
            body.bit_string(tag)
    return take_explicit_extensions(body, _EXPLICIT_EXTENSIONS)
