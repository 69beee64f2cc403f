"""What stands in the parts of a certificate that its structure does not decide: times, keys, extensions.

Each function takes the octets of its part and raises MalformedError when they make no sense. As in OpenSSL's
X509V3_EXT_d2i, octets behind the value of an extension do not matter.
"""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, reread
from rootfs_trust.x509.oids import CURVE_BITS, FIXED_KEY_BITS, KEY_ALGORITHMS, KEY_USAGES, dotted
from rootfs_trust.x509.primitive import BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, UTC_TIME
from rootfs_trust.x509.structure import Time, take_algorithm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_CONTEXT_0 = 0x80
_SERVER_NAMES = (0x82, 0x87)  # dNSName and iPAddress
_NETSCAPE_CA_BITS = 0x07  # NS_ANY_CA


class BasicConstraints(NamedTuple):
    """RFC 5280, 4.2.1.9: whether a CA, and how many CAs may stand below it (None: any number)."""

    ca: bool
    path_length: int | None


def basic_constraints(value: bytes) -> BasicConstraints:
    """BasicConstraints (RFC 5280, 4.2.1.9)."""
    body = Reader(value).enter(SEQUENCE)
    ca = body.boolean() if body.next_tag() == BOOLEAN else False
    length = int.from_bytes(body.integer(), signed=True) if body.next_tag() == INTEGER else None
    Reader(b"").leave(body)
    return BasicConstraints(ca, length)


def key_usage(value: bytes) -> frozenset[str]:
    """Names of the bits of KeyUsage that are set (RFC 5280, 4.2.1.3)."""
    bits = Reader(value).bit_string()[1:3]
    return frozenset(name for n, name in enumerate(KEY_USAGES) if n // 8 < len(bits) and bits[n // 8] & 0x80 >> n % 8)


def extended_key_usage(value: bytes) -> frozenset[str]:
    """Dotted OIDs of ExtKeyUsageSyntax (RFC 5280, 4.2.1.12)."""
    body = Reader(value).enter_list(SEQUENCE)
    usages = frozenset(dotted(body.oid()) for _ in iter(body.more, False))
    Reader(b"").leave(body)
    return usages


def subject_key_id(value: bytes) -> bytes:
    """SubjectKeyIdentifier (RFC 5280, 4.2.1.2)."""
    return Reader(value).value(OCTET_STRING)


def authority_key_id(value: bytes) -> bytes | None:
    """The keyIdentifier of AuthorityKeyIdentifier, None if it has none (RFC 5280, 4.2.1.1)."""
    body = Reader(value).enter(SEQUENCE)
    return body.value(_CONTEXT_0) if body.next_tag() == _CONTEXT_0 else None


def names_servers(value: bytes) -> bool:
    """Whether GeneralNames holds a dNSName or an iPAddress (RFC 5280, 4.2.1.6)."""
    body = Reader(value).enter_list(SEQUENCE)
    return any(body.any()[0] in _SERVER_NAMES for _ in iter(body.more, False))


def netscape_ca(value: bytes) -> bool:
    """Whether the old Netscape certificate type names any kind of CA."""
    return bool(int.from_bytes(Reader(value).bit_string()[1:2]) & _NETSCAPE_CA_BITS)


def moment(time: Time) -> datetime | None:
    """A Time as an aware datetime in UTC, None if its text is no time (RFC 5280, 4.1.2.5).

    As in ASN1_TIME_to_tm seconds may be missing, an offset may stand for the Z, and there may be a fraction
    of a second, which is dropped.
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
    """Digits without fraction, sign and digits of the offset."""
    sign = b"-" if b"-" in contents else b"+"
    if contents.endswith(b"Z"):
        text, offset = contents[:-1], b"0000"
    else:
        text, _, offset = contents.partition(sign)
    digits, dot, fraction = text.partition(b".")
    return (b"" if dot and not fraction.isdigit() else digits), sign, offset


def key_algorithm(key: bytes) -> str:
    """Algorithm of a SubjectPublicKeyInfo: its usual name, else its dotted OID."""
    oid = dotted(reread(key).enter(SEQUENCE).enter(SEQUENCE).oid())
    return KEY_ALGORITHMS.get(oid, oid)


def key_bits(key: bytes) -> int:
    """Size of the key in a SubjectPublicKeyInfo, as OpenSSL prints it."""
    name = key_algorithm(key)
    if name in FIXED_KEY_BITS:
        return FIXED_KEY_BITS[name]
    body = reread(key).enter(SEQUENCE)
    algorithm = Reader(take_algorithm(body))
    algorithm.oid()
    if name.startswith("RSA"):
        return _first_integer_bits(Reader(body.bit_string()[1:]))
    if name == "DSA":
        return _first_integer_bits(algorithm)
    if name == "EC":
        return _curve_bits(algorithm)
    raise MalformedError(f"size of a key of algorithm {name} is not known")


def has_named_curve(key: bytes) -> bool:
    """Whether an OID stands in the place of the parameters of a SubjectPublicKeyInfo."""
    algorithm = Reader(take_algorithm(reread(key).enter(SEQUENCE)))
    algorithm.oid()
    return algorithm.next_tag() == OID


def key_curve(key: bytes) -> str | None:
    """Dotted OID of the named curve of an EC key (RFC 5480, 2.1.1), None if the key has none."""
    if key_algorithm(key) != "EC":
        return None
    algorithm = Reader(take_algorithm(reread(key).enter(SEQUENCE)))
    algorithm.oid()
    return dotted(algorithm.oid()) if algorithm.next_tag() == OID else None


def _first_integer_bits(reader: Reader) -> int:
    """Bits of the first INTEGER of the SEQUENCE that comes next, RSA's modulus or DSA's prime.

    Its sign does not count (bn_c2i in crypto/asn1/x_bignum.c).
    """
    return int.from_bytes(reader.enter(SEQUENCE).integer()).bit_length()


def _curve_bits(parameters: Reader) -> int:
    """Size of the field of a named curve, or of a prime field that is spelled out (RFC 3279, 2.3.5)."""
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
