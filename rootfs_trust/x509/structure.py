"""The parts that certificates and CRLs share: algorithms, times, keys, extensions, and the signed whole.

The templates are those of crypto/x509/x_algor.c, x_exten.c, x_pubkey.c, x_x509.c and x_crl.c (RFC 5280, 4.1
and 5.1). Each function takes its part from a Reader and raises MalformedError where OpenSSL would refuse
the whole.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, encode, reread
from rootfs_trust.x509.primitive import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    OCTET_STRING,
    OID,
    SEQUENCE,
    UTC_TIME,
    tag_name,
)

# Tag and contents.
Time = tuple[int, bytes]
# Contents of the OID and of the OCTET STRING; whether it is critical does not matter here.
Extension = tuple[bytes, bytes]


class Fingerprinted:
    """Something signed that was read. Two of a kind are equal when their fingerprints are; nothing of them changes.

    ``der``     the element exactly as it stood, without whatever came behind it.
    ``sha256``  OpenSSL's fingerprint, in small hexadecimal digits: of the element as OpenSSL writes it again,
                which is not always ``der`` (long lengths outside the signed part, unused bits).
    """

    def __init__(self, der: bytes, sha256: str) -> None:
        self.der = der
        self.sha256 = sha256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def take_algorithm(reader: Reader) -> bytes:
    """Take an AlgorithmIdentifier; gives its contents as OpenSSL writes them again."""
    body = reader.enter(SEQUENCE)
    contents = encode(OID, body.oid())
    if body.more():
        contents += body.any()
    reader.leave(body)
    return contents


def take_time(reader: Reader) -> Time:
    """Take a Time. Its text is not looked at: OpenSSL takes nonsense too."""
    tag = reader.next_tag()
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise MalformedError(f"{tag_name(tag)} where a time belongs")
    return tag, reader.value(tag)


def take_validity(reader: Reader) -> tuple[Time, Time]:
    """Take a Validity: the times before and after which there is none."""
    body = reader.enter(SEQUENCE)
    times = take_time(body), take_time(body)
    reader.leave(body)
    return times


def take_key(reader: Reader) -> bytes:
    """Take a SubjectPublicKeyInfo; gives the whole element. Keys that nobody knows are fine."""
    begin = reader.pos
    body = reader.enter(SEQUENCE)
    take_algorithm(body)
    body.bit_string()
    reader.leave(body)
    return reader.data[begin : reader.pos]


def take_extensions(reader: Reader) -> bytes:
    """Take a SEQUENCE OF Extension; gives the whole element, to be read by :func:`read_extensions`."""
    begin = reader.pos
    body = reader.enter_list(SEQUENCE)
    while body.more():
        _take_extension(body)
    reader.leave(body)
    return reader.data[begin : reader.pos]


def _take_extension(reader: Reader) -> Extension:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    if body.next_tag() == BOOLEAN:
        body.boolean()
    value = body.value(OCTET_STRING)
    reader.leave(body)
    return oid, value


def take_explicit_extensions(reader: Reader, tag: int) -> bytes:
    """Like :func:`take_extensions`, inside an explicit ``tag``; nothing if that is not what comes next."""
    if reader.next_tag() != tag:
        return b""
    outer = reader.enter(tag)
    found = take_extensions(outer)
    reader.leave(outer)
    return found


def read_extensions(element: bytes) -> list[Extension]:
    """Read again what was taken."""
    if not element:
        return []
    body = reread(element).enter_list(SEQUENCE)
    return [_take_extension(body) for _ in iter(body.more, False)]


def critical_extensions(element: bytes) -> list[bytes]:
    """The OIDs of those that are critical."""
    if not element:
        return []
    body = reread(element).enter_list(SEQUENCE)
    return [oid for _ in iter(body.more, False) if (oid := _take_if_critical(body))]


def _take_if_critical(reader: Reader) -> bytes:
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    critical = body.next_tag() == BOOLEAN and body.boolean()
    body.value(OCTET_STRING)
    reader.leave(body)
    return oid if critical else b""


def signed_whole(to_be_signed: bytes, reader: Reader) -> bytes:
    """Take algorithm and signature; gives the whole as OpenSSL writes it again to fingerprint it.

    The signed part keeps its octets; all around it becomes DER (asn1_enc_restore in tasn_enc.c).
    """
    algorithm = encode(SEQUENCE, take_algorithm(reader))
    signature = encode(BIT_STRING, reader.bit_string())
    return encode(SEQUENCE, to_be_signed + algorithm + signature)
