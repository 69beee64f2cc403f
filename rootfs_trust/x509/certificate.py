"""X.509 certificates as OpenSSL sees them: bytes in, a frozen :class:`Certificate` out.

A certificate is taken or refused by its structure alone, as d2i_X509 does (crypto/x509/x_x509.c; RFC 5280,
4.1): versions, dates, keys and extensions may be nonsense. What is read from those parts is read when asked
for, and a part that makes no sense, or an extension that stands there twice, counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import details
from rootfs_trust.x509.der import Reader, reread
from rootfs_trust.x509.general_names import GeneralName, NameConstraints, general_names, name_constraints
from rootfs_trust.x509.name import Name
from rootfs_trust.x509.oids import SIGNATURE_ALGORITHMS, dotted
from rootfs_trust.x509.ordinary import ordinary_certificate
from rootfs_trust.x509.primitive import SEQUENCE
from rootfs_trust.x509.structure import (
    Fingerprinted,
    critical_extensions,
    read_extensions,
    signed_whole,
    take_algorithm,
    take_explicit_extensions,
    take_key,
    take_validity,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_Value = TypeVar("_Value")

_KEY_USAGE, _BASIC_CONSTRAINTS, _NETSCAPE_TYPE = "2.5.29.15", "2.5.29.19", "2.16.840.1.113730.1.1"
_EXPLICIT_VERSION, _ISSUER_ID, _SUBJECT_ID, _EXPLICIT_EXTENSIONS = 0x80, 0x81, 0x82, 0x83


class _Signed:
    """The signed part, TBSCertificate, each field as far as its structure goes."""

    def __init__(self, reader: Reader) -> None:
        body = reader.enter(SEQUENCE)
        self.version = _take_version(body)
        self.serial = body.integer()
        self.algorithm = take_algorithm(body)
        self.issuer = Name.take(body)
        self.validity = take_validity(body)
        self.subject = Name.take(body)
        self.key = take_key(body)
        self.extensions = _take_tail(body)
        reader.leave(body)


class Certificate(Fingerprinted):
    """One certificate: ``subject`` is whom it is for, ``issuer`` who issued it."""

    def __init__(self, der: bytes, sha256: str, issuer: Name, subject: Name) -> None:
        super().__init__(der, sha256)
        self.issuer = issuer
        self.subject = subject

    def __repr__(self) -> str:
        return f"Certificate({self.subject.text!r})"

    @cached_property
    def _signed(self) -> _Signed:
        """All the fields. They are read when they are asked for: often names and fingerprint will do."""
        return _Signed(reread(self.der).enter(SEQUENCE))

    @property
    def version(self) -> int:
        """1, 2 or 3 in well-made certificates; OpenSSL takes any number."""
        return int.from_bytes(self._signed.version, signed=True) + 1

    @property
    def serial(self) -> int:
        """Serial number, which may be zero, negative or long."""
        return int.from_bytes(self._signed.serial, signed=True)

    @cached_property
    def not_before(self) -> datetime | None:
        """Begin of validity in UTC; None if the text is no time."""
        return details.moment(self._signed.validity[0])

    @cached_property
    def not_after(self) -> datetime | None:
        """End of validity in UTC; None if the text is no time."""
        return details.moment(self._signed.validity[1])

    @property
    def signature_algorithm(self) -> str:
        """Usual name of the algorithm, such as sha256WithRSAEncryption, else its dotted OID."""
        oid = dotted(Reader(self._signed.algorithm).oid())
        return SIGNATURE_ALGORITHMS.get(oid, oid)

    @property
    def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return self._signed.key

    @property
    def key_algorithm(self) -> str:
        """RSA, EC, Ed25519, ..., else the dotted OID."""
        return details.key_algorithm(self._signed.key)

    @cached_property
    def key_bits(self) -> int | None:
        """Bits of RSA's modulus, of the curve's field or of DSA's prime; None if the key makes no sense."""
        return _sense(details.key_bits, self._signed.key)

    @property
    def key_curve(self) -> str | None:
        """Dotted OID of the named curve of an EC key; None for other keys, and for a curve that is spelled out."""
        return _sense(details.key_curve, self._signed.key)

    @property
    def basic_constraints(self) -> details.BasicConstraints | None:
        """Whether the certificate says it is a CA (RFC 5280, 4.2.1.9)."""
        return self._extension(_BASIC_CONSTRAINTS, details.basic_constraints)

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """What the key may be used for, by the names of RFC 5280, 4.2.1.3; None if nothing is said."""
        return self._extension(_KEY_USAGE, details.key_usage)

    @cached_property
    def extended_key_usage(self) -> frozenset[str] | None:
        """Dotted OIDs of the purposes (RFC 5280, 4.2.1.12); None if nothing is said."""
        return self._extension("2.5.29.37", details.extended_key_usage)

    @cached_property
    def names_servers(self) -> bool:
        """Whether an alternative name is that of a host: a DNS name or an IP address (RFC 5280, 4.2.1.6)."""
        return bool(self._extension("2.5.29.17", details.names_servers))

    @cached_property
    def alternative_names(self) -> tuple[GeneralName, ...]:
        """The subjectAltName (RFC 5280, 4.2.1.6); empty where there is none."""
        return self._extension("2.5.29.17", general_names) or ()

    @property
    def alternative_names_are_broken(self) -> bool:
        """Whether there is a subjectAltName in which no name can be read."""
        return "2.5.29.17" in self._by_oid and not self.alternative_names

    @cached_property
    def name_constraints(self) -> NameConstraints | None:
        """What names certificates below may have (RFC 5280, 4.2.1.10)."""
        return self._extension("2.5.29.30", name_constraints)

    @cached_property
    def critical(self) -> tuple[str, ...]:
        """Dotted OIDs of the critical extensions."""
        return tuple(map(dotted, critical_extensions(self._signed.extensions)))

    @cached_property
    def repeats_extension(self) -> bool:
        """Whether an extension stands there twice, which RFC 5280, 4.2, forbids."""
        return any(len(values) > 1 for values in self._by_oid.values())

    @cached_property
    def key_has_named_curve(self) -> bool:
        """Whether the key's algorithm has an OID for its parameters, as a curve with a name does (RFC 5480, 2.1.1)."""
        return details.has_named_curve(self._signed.key)

    @cached_property
    def subject_key_id(self) -> bytes | None:
        """Name of this certificate's key (RFC 5280, 4.2.1.2)."""
        return self._extension("2.5.29.14", details.subject_key_id)

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """Name of the key that signed (RFC 5280, 4.2.1.1)."""
        return self._extension("2.5.29.35", details.authority_key_id)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject == self.issuer

    @property
    def self_signed(self) -> bool:
        """Self-issued, and where both key identifiers are there, they agree. No signature is checked."""
        ids = self.subject_key_id, self.authority_key_id
        return self.self_issued and (None in ids or ids[0] == ids[1])

    @cached_property
    def is_ca(self) -> bool:
        """Whether OpenSSL takes it for a CA of any kind (check_ca in crypto/x509/v3_purp.c).

        A key usage must allow keyCertSign. Then basicConstraints decides; without it a CA is a self-signed
        certificate of version 1, one with that key usage, or one whose Netscape type says so. It is none if
        one of these extensions is broken or stands there twice.
        """
        netscape = self._extension(_NETSCAPE_TYPE, details.netscape_ca)
        said: dict[str, object] = {_NETSCAPE_TYPE: netscape, _KEY_USAGE: self.key_usage}
        said[_BASIC_CONSTRAINTS] = self.basic_constraints
        if any(value is None and oid in self._by_oid for oid, value in said.items()):
            return False
        if self.key_usage is not None and "keyCertSign" not in self.key_usage:
            return False
        if self.basic_constraints is not None:
            return self.basic_constraints.ca
        return (self.version == 1 and self.self_signed) or self.key_usage is not None or bool(netscape)

    def _extension(self, oid: str, read: Callable[[bytes], _Value]) -> _Value | None:
        found = self._by_oid.get(oid, [])
        return _sense(read, found[0]) if len(found) == 1 else None

    @cached_property
    def _by_oid(self) -> dict[str, list[bytes]]:
        values: dict[str, list[bytes]] = {}
        for oid, value in read_extensions(self._signed.extensions):
            values.setdefault(dotted(oid), []).append(value)
        return values


def _sense(read: Callable[[bytes], _Value], value: bytes) -> _Value | None:
    try:
        return read(value)
    except MalformedError:
        return None


def parse_certificate(der: bytes, *, trailing: bool = False) -> Certificate:
    """Read one certificate; raises MalformedError where OpenSSL refuses it.

    Octets behind it are refused too unless ``trailing`` says that they do not matter; in PEM they do not.
    """
    reader = Reader(der)
    certificate = take_certificate(reader)
    if reader.pos != len(der) and not trailing:
        raise MalformedError("octets follow the certificate")
    return certificate


def take_certificate(reader: Reader) -> Certificate:
    """Take a Certificate."""
    begin = reader.pos
    ordinary = ordinary_certificate(reader.data, begin, reader.end)
    if ordinary is None:
        return take_exactly(reader)
    reader.pos, issuer, subject = ordinary
    der = reader.data[begin : reader.pos]
    return Certificate(der, sha256(der, usedforsecurity=False).hexdigest(), issuer, subject)


def take_exactly(reader: Reader) -> Certificate:
    """Take a Certificate whatever its form: this and what it calls are the rules."""
    begin = reader.pos
    body = reader.enter(SEQUENCE)
    signed_begin = body.pos
    signed = _Signed(body)
    written = signed_whole(body.data[signed_begin : body.pos], body)
    reader.leave(body)
    fingerprint = sha256(written, usedforsecurity=False).hexdigest()
    return Certificate(reader.data[begin : reader.pos], fingerprint, signed.issuer, signed.subject)


def _take_version(body: Reader) -> bytes:
    """Take the version, zero unless it is written."""
    if body.next_tag() != _EXPLICIT_VERSION:
        return b"\0"
    explicit = body.enter(_EXPLICIT_VERSION)
    version = explicit.integer()
    body.leave(explicit)
    return version


def _take_tail(body: Reader) -> bytes:
    """Take what may follow the key: two unique identifiers, and the extensions."""
    for tag in (_ISSUER_ID, _SUBJECT_ID):
        if body.next_tag() == tag:
            body.bit_string(tag)
    return take_explicit_extensions(body, _EXPLICIT_EXTENSIONS)
