"""The parts that certificates and CRLs share: algorithms, times, keys, extensions, and the signed whole.

The templates are those of crypto/x509/x_algor.c, x_exten.c, x_pubkey.c, x_x509.c and x_crl.c (RFC 5280, 4.1
and 5.1). Each function takes its part from a Reader and raises MalformedError where OpenSSL would refuse
the whole.
"""

from __future__ import annotations

from functools import lru_cache

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, encode
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
# Contents of the OID, whether critical, contents of the OCTET STRING.
Extension = tuple[bytes, bool, bytes]


def take_algorithm(reader: Reader) -> bytes:
    """Take an AlgorithmIdentifier; gives its contents as OpenSSL writes them again."""
    body = reader.enter(SEQUENCE)
    if not body.open:
        return _algorithm(body.data[body.pos : body.end])
    contents = _algorithm_contents(body)
    reader.leave(body)
    return contents


@lru_cache(maxsize=128)  # there are few algorithms
def _algorithm(contents: bytes) -> bytes:
    reader = Reader(contents)
    written = _algorithm_contents(reader)
    Reader(b"").leave(reader)
    return written


def _algorithm_contents(body: Reader) -> bytes:
    oid = encode(OID, body.oid())
    return oid + body.any() if body.more() else oid


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


def take_extension(reader: Reader) -> Extension:
    """Take an Extension: OID, critical or not, value."""
    body = reader.enter(SEQUENCE)
    oid = body.oid()
    critical = body.boolean() if body.next_tag() == BOOLEAN else False
    value = body.value(OCTET_STRING)
    reader.leave(body)
    return oid, critical, value


def take_extensions(reader: Reader) -> list[Extension]:
    """Take a SEQUENCE OF Extension."""
    body = reader.enter_list(SEQUENCE)
    found = [take_extension(body) for _ in iter(body.more, False)]
    reader.leave(body)
    return found


def take_explicit_extensions(reader: Reader, tag: int) -> list[Extension]:
    """Take extensions inside an explicit ``tag``; none if that is not what comes next."""
    if reader.next_tag() != tag:
        return []
    outer = reader.enter(tag)
    found = take_extensions(outer)
    reader.leave(outer)
    return found


def signed_whole(to_be_signed: bytes, reader: Reader) -> bytes:
    """Take algorithm and signature; gives the whole as OpenSSL writes it again to fingerprint it.

    The signed part keeps its octets; all around it becomes DER (asn1_enc_restore in tasn_enc.c).
    """
    algorithm = encode(SEQUENCE, take_algorithm(reader))
    signature = encode(BIT_STRING, reader.bit_string())
    return encode(SEQUENCE, to_be_signed + algorithm + signature)
