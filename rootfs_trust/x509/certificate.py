"""Parse X.509 certificates the way OpenSSL does, into an immutable :class:`Certificate`.

Only the structure decides whether a certificate is accepted, as in d2i_X509 (crypto/x509/x_x509.c; RFC 5280, 4.1):
versions, dates, keys and extensions may be invalid. These parts are parsed on first use. An invalid part, or an
extension that occurs twice, counts as absent.

The ``take_`` functions follow the templates of x_algor.c, x_exten.c, x_pubkey.c, x_x509.c and x_crl.c, and raise
MalformedError if OpenSSL would refuse the whole certificate. Functions for the value of one part raise MalformedError
if it is invalid. As in X509V3_EXT_d2i, bytes after the value of an extension are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple, TypeVar

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    UTC_TIME,
    DerReader,
    encode,
    reader_for_element,
    tag_name,
)
from rootfs_trust.x509.name import GeneralName, Name, NameConstraints, general_names, name_constraints
from rootfs_trust.x509.oids import (
    AUTHORITY_KEY_ID,
    BASIC_CONSTRAINTS,
    CURVE_BITS,
    EXTENDED_KEY_USAGE,
    FIXED_KEY_BITS,
    KEY_ALGORITHMS,
    KEY_USAGE,
    KEY_USAGES,
    NAME_CONSTRAINTS,
    NETSCAPE_TYPE,
    SIGNATURE_ALGORITHMS,
    SUBJECT_ALTERNATIVE_NAME,
    SUBJECT_KEY_ID,
    dotted,
)
from rootfs_trust.x509.parse_cache import cached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

# Tag and contents.
Time = tuple[int, bytes]
# Contents of the OID and of the OCTET STRING, without the critical flag.
Extension = tuple[bytes, bytes]


class SignedObject:
    """Base class of parsed certificates and CRLs. Immutable; compared by fingerprint.

    ``der``     the exact bytes of the element, without any bytes after it.
    ``sha256``  OpenSSL's fingerprint, in lower-case hex. It is that of the element as OpenSSL encodes it again, which
                is not always ``der`` (long lengths outside the signed part, unused bits).
    """

    def __init__(self, der: bytes, sha256: str) -> None:
        self.der = der
        self.sha256 = sha256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def take_algorithm(reader: DerReader) -> bytes:
    """Take an AlgorithmIdentifier; return its contents as OpenSSL would encode them again."""
    body = reader.enter(SEQUENCE)
    contents = encode(OID, body.oid())
    if body.more():
        contents += body.any()
    reader.leave(body)
    return contents


def take_time(reader: DerReader) -> Time:
    """Take a Time. Its text is not checked, because OpenSSL accepts any text."""
    tag = reader.next_tag()
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise MalformedError(f"{tag_name(tag)} instead of a time")
    return tag, reader.value(tag)


def take_validity(reader: DerReader) -> tuple[Time, Time]:
    """Take a Validity: notBefore and notAfter."""
    body = reader.enter(SEQUENCE)
    times = take_time(body), take_time(body)
    reader.leave(body)
    return times


def take_key(reader: DerReader) -> bytes:
    """Take a SubjectPublicKeyInfo; return the whole element. The algorithm may be unknown."""
    begin = reader.pos
    body = reader.enter(SEQUENCE)
    take_algorithm(body)
    body.bit_string()
    reader.leave(body)
    return reader.data[begin : reader.pos]


def take_extensions(reader: DerReader) -> bytes:
    """Take a SEQUENCE OF Extension; return the whole element for :func:`read_extensions`."""
    begin = reader.pos
    body = reader.enter_list(SEQUENCE)
    while body.more():
        _take_extension(body)
    reader.leave(body)
    return reader.data[begin : reader.pos]


def _take_extension(reader: DerReader) -> Extension:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    if body.next_tag() == BOOLEAN:
        body.boolean()
    value = body.value(OCTET_STRING)
    reader.leave(body)
    return oid, value


def take_explicit_extensions(reader: DerReader, tag: int) -> bytes:
    """Like :func:`take_extensions`, inside an explicit ``tag``; return nothing if the next element has another tag."""
    if reader.next_tag() != tag:
        return b""
    outer = reader.enter(tag)
    found = take_extensions(outer)
    reader.leave(outer)
    return found


def read_extensions(element: bytes) -> list[Extension]:
    """Parse the extensions that :func:`take_extensions` returned."""
    if not element:
        return []
    body = reader_for_element(element).enter_list(SEQUENCE)
    return [_take_extension(body) for _ in iter(body.more, False)]


def critical_extensions(element: bytes) -> list[bytes]:
    """Return the OIDs of the critical extensions."""
    if not element:
        return []
    body = reader_for_element(element).enter_list(SEQUENCE)
    return [oid for _ in iter(body.more, False) if (oid := _take_if_critical(body))]


def _take_if_critical(reader: DerReader) -> bytes:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    critical = body.next_tag() == BOOLEAN and body.boolean()
    body.value(OCTET_STRING)
    reader.leave(body)
    return oid if critical else b""


def reencode_certificate(to_be_signed: bytes, reader: DerReader) -> bytes:
    """Take algorithm and signature; return the whole element as OpenSSL encodes it for the fingerprint.

    The signed part keeps its bytes; everything around it becomes DER (asn1_enc_restore in tasn_enc.c).
    """
    algorithm = encode(SEQUENCE, take_algorithm(reader))
    signature = encode(BIT_STRING, reader.bit_string())
    return encode(SEQUENCE, to_be_signed + algorithm + signature)


_CONTEXT_0 = 0x80
_SERVER_NAMES = (0x82, 0x87)  # dNSName and iPAddress
_NETSCAPE_CA_BITS = 0x07  # NS_ANY_CA


class BasicConstraints(NamedTuple):
    """RFC 5280, 4.2.1.9: whether it is a CA, and the maximum number of CAs below it (None: any number)."""

    ca: bool
    path_length: int | None


def basic_constraints(value: bytes) -> BasicConstraints:
    """Parse BasicConstraints (RFC 5280, 4.2.1.9)."""
    body = DerReader(value).enter(SEQUENCE)
    ca = body.boolean() if body.next_tag() == BOOLEAN else False
    length = int.from_bytes(body.integer(), signed=True) if body.next_tag() == INTEGER else None
    DerReader(b"").leave(body)
    return BasicConstraints(ca, length)


def key_usage(value: bytes) -> frozenset[str]:
    """Return the names of the bits that are set in KeyUsage (RFC 5280, 4.2.1.3)."""
    bits = DerReader(value).bit_string()[1:3]
    return frozenset(name for n, name in enumerate(KEY_USAGES) if n // 8 < len(bits) and bits[n // 8] & 0x80 >> n % 8)


def extended_key_usage(value: bytes) -> frozenset[str]:
    """Return the dotted OIDs of ExtKeyUsageSyntax (RFC 5280, 4.2.1.12)."""
    body = DerReader(value).enter_list(SEQUENCE)
    usages = frozenset(dotted(body.oid()) for _ in iter(body.more, False))
    DerReader(b"").leave(body)
    return usages


def subject_key_id(value: bytes) -> bytes:
    """Parse SubjectKeyIdentifier (RFC 5280, 4.2.1.2)."""
    return DerReader(value).value(OCTET_STRING)


def authority_key_id(value: bytes) -> bytes | None:
    """Return the keyIdentifier of AuthorityKeyIdentifier, or None (RFC 5280, 4.2.1.1)."""
    body = DerReader(value).enter(SEQUENCE)
    return body.value(_CONTEXT_0) if body.next_tag() == _CONTEXT_0 else None


def names_servers(value: bytes) -> bool:
    """Return whether GeneralNames contains a dNSName or an iPAddress (RFC 5280, 4.2.1.6)."""
    body = DerReader(value).enter_list(SEQUENCE)
    return any(body.any()[0] in _SERVER_NAMES for _ in iter(body.more, False))


def netscape_ca(value: bytes) -> bool:
    """Return whether the old Netscape certificate type names any kind of CA."""
    return bool(int.from_bytes(DerReader(value).bit_string()[1:2]) & _NETSCAPE_CA_BITS)


def parse_time(time: Time) -> datetime | None:
    """Return a Time as a datetime in UTC, or None if it cannot be parsed (RFC 5280, 4.1.2.5).

    As in ASN1_TIME_to_tm, seconds may be missing, an offset may replace the Z, and a fraction of a second is dropped.
    """
    from datetime import UTC, datetime, timedelta

    tag, contents = time
    digits, sign, offset = _split_time(contents)
    if not (digits.isdigit() and offset.isdigit() and len(offset) == 4):
        return None
    if tag == UTC_TIME:
        digits = (b"20" if digits < b"50" else b"19") + digits
    if len(digits) not in (12, 14):
        return None
    parts = [int(digits[:4]), *(int(digits[n : n + 2]) for n in range(4, len(digits), 2))]
    ahead = timedelta(hours=int(offset[:2]), minutes=int(offset[2:]))
    try:
        local = datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]
        return local - ahead if sign == b"+" else local + ahead
    except (ValueError, OverflowError):
        return None


def _split_time(contents: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the digits without fraction, and the sign and digits of the offset."""
    sign = b"-" if b"-" in contents else b"+"
    if contents.endswith(b"Z"):
        text, offset = contents[:-1], b"0000"
    else:
        text, _, offset = contents.partition(sign)
    digits, dot, fraction = text.partition(b".")
    return (b"" if dot and not fraction.isdigit() else digits), sign, offset


def key_algorithm(key: bytes) -> str:
    """Return the algorithm of a SubjectPublicKeyInfo: its usual name, or else its dotted OID."""
    oid = dotted(reader_for_element(key).enter(SEQUENCE).enter(SEQUENCE).oid())
    return KEY_ALGORITHMS.get(oid, oid)


def key_bits(key: bytes) -> int:
    """Return the size of the key in a SubjectPublicKeyInfo, as OpenSSL prints it."""
    name = key_algorithm(key)
    if name in FIXED_KEY_BITS:
        return FIXED_KEY_BITS[name]
    body = reader_for_element(key).enter(SEQUENCE)
    algorithm = DerReader(take_algorithm(body))
    algorithm.oid()
    if name.startswith("RSA"):
        return _first_integer_bits(DerReader(body.bit_string()[1:]))
    if name == "DSA":
        return _first_integer_bits(algorithm)
    if name == "EC":
        return _curve_bits(algorithm)
    raise MalformedError(f"size of a key of algorithm {name} is not known")


def has_named_curve(key: bytes) -> bool:
    """Return whether the parameters of a SubjectPublicKeyInfo are an OID."""
    algorithm = DerReader(take_algorithm(reader_for_element(key).enter(SEQUENCE)))
    algorithm.oid()
    return algorithm.next_tag() == OID


def key_curve(key: bytes) -> str | None:
    """Return the dotted OID of the named curve of an EC key (RFC 5480, 2.1.1), or None."""
    if key_algorithm(key) != "EC":
        return None
    algorithm = DerReader(take_algorithm(reader_for_element(key).enter(SEQUENCE)))
    algorithm.oid()
    return dotted(algorithm.oid()) if algorithm.next_tag() == OID else None


def _first_integer_bits(reader: DerReader) -> int:
    """Return the bits of the first INTEGER in the next SEQUENCE: RSA's modulus or DSA's prime.

    The sign is ignored (bn_c2i in crypto/asn1/x_bignum.c).
    """
    return int.from_bytes(reader.enter(SEQUENCE).integer()).bit_length()


def _curve_bits(parameters: DerReader) -> int:
    """Return the size of the field of a named curve, or of an explicit prime field (RFC 3279, 2.3.5)."""
    if parameters.next_tag() == OID:
        curve = dotted(parameters.oid())
        if curve not in CURVE_BITS:
            raise MalformedError(f"curve {curve} is not known")
        return CURVE_BITS[curve]
    explicit = parameters.enter(SEQUENCE)
    explicit.integer()
    field = explicit.enter(SEQUENCE)
    field.oid()
    prime = int.from_bytes(field.integer(), signed=True)
    if prime <= 0:
        raise MalformedError("the field of a curve has no elements")
    return prime.bit_length()


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
    written = reencode_certificate(body.data[signed_begin : body.pos], body)
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
