"""The parts that certificates and CRLs share: algorithms, times, keys, extensions, and the signed whole.

The templates are those of crypto/x509/x_algor.c, x_exten.c, x_pubkey.c, x_x509.c and x_crl.c (RFC 5280, 4.1
and 5.1). Each function takes its part from a Reader and raises MalformedError where OpenSSL would refuse
the whole.
"""

from __future__ import annotations

from functools import lru_cache

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
    check_oid,
    tag_name,
)

# Results for longer contents are not kept, so that no input can fill the memory.
_WORTH_KEEPING = 1024

# Tag and contents.
Time = tuple[int, bytes]
# Contents of the OID and of the OCTET STRING; whether it is critical does not matter here.
Extension = tuple[bytes, bytes]


def take_algorithm(reader: Reader) -> bytes:
    """Take an AlgorithmIdentifier; gives its contents as OpenSSL writes them again."""
    body = reader.enter(SEQUENCE)
    if not body.open and body.end - body.pos <= _WORTH_KEEPING:
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


def take_extensions(reader: Reader) -> bytes:
    """Take a SEQUENCE OF Extension; gives the whole element, to be read by :func:`read_extensions`."""
    begin = reader.pos
    body = reader.enter_list(SEQUENCE)
    while body.more():
        if not _skip_plain_extension(body):
            _take_extension(body)
    reader.leave(body)
    return reader.data[begin : reader.pos]


def _skip_plain_extension(reader: Reader) -> bool:
    """Skip an extension all of whose lengths are short; does nothing if it has any other form.

    Only a shortcut: all that passes here passes in :func:`_take_extension`.
    """
    data, pos, end = reader.data, reader.pos, reader.end
    if end - pos < 4 or data[pos] != 0x30 or data[pos + 1] >= 0x80 or data[pos + 2] != OID:
        return False
    stop, value = pos + 2 + data[pos + 1], pos + 4 + data[pos + 3]
    if value + 5 > stop or stop > end:
        return False
    check_oid(data[pos + 4 : value])
    if data[value] == BOOLEAN and data[value + 1] == 1:
        value += 3
    if data[value] != OCTET_STRING or data[value + 1] >= 0x80 or value + 2 + data[value + 1] != stop:
        return False
    reader.pos = stop
    return True


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


def signed_whole(to_be_signed: bytes, reader: Reader) -> bytes:
    """Take algorithm and signature; gives the whole as OpenSSL writes it again to fingerprint it.

    The signed part keeps its octets; all around it becomes DER (asn1_enc_restore in tasn_enc.c).
    """
    algorithm = encode(SEQUENCE, take_algorithm(reader))
    signature = encode(BIT_STRING, reader.bit_string())
    return encode(SEQUENCE, to_be_signed + algorithm + signature)
