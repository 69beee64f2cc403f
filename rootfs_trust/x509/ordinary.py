"""A short way through certificates as nearly everybody makes them.

Ordinary are: lengths of definite form, as short as DER asks and below 64 KiB; a version of one octet or none;
algorithms, times and RDNs of less than 128 octets; no unique identifiers; no unused bits in key and signature.

What this module promises: whatever passes here passes in the exact reader of certificate.py too, with the same end,
the same issuer and the same subject, and OpenSSL writes it again octet by octet as it stands, so that its
fingerprint is that of its octets. Whatever is odd, or wrong, is not judged here but left to the exact reader. So
nothing below says anything about the rules: those stand in certificate.py, structure.py and name.py.

How it works: a place goes forward over the octets, and lengths are believed. Since it never goes back, and each
element must end where the one around it ends, none that passes reaches beyond the whole.
"""

from __future__ import annotations

from functools import lru_cache

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, encode
from rootfs_trust.x509.name import Name, canonical_set
from rootfs_trust.x509.primitive import SEQUENCE, check_integer, check_oid
from rootfs_trust.x509.structure import take_algorithm

# Identifier octets, with the constructed bit.
_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _SEQUENCE, _SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
_UTF8_STRING, _EXPLICIT_EXTENSIONS = 0x0C, 0xA3
_TIMES = frozenset((0x17, 0x18))
_FOLDED_TEXTS = frozenset((_UTF8_STRING, 0x13, 0x14, 0x16))  # those of one octet a character while all is ASCII
_VERSION = bytes.fromhex("a0030201")  # and one octet
_ATTRIBUTE = bytes.fromhex("06035504")  # and one octet: 2.5.4.n, nearly all that stands in names


class _OddError(Exception):
    """Something is not ordinary."""


def ordinary_certificate(data: bytes, pos: int, end: int) -> tuple[int, Name, Name] | None:
    """Place behind the certificate at ``pos``, its issuer and its subject; None if it is not an ordinary one."""
    try:
        signed, stop = _enter(data, pos, _SEQUENCE)
        if stop > end:
            return None
        pos, issuer, subject = _signed_part(data, signed)
        pos = _bit_string(data, _algorithm(data, pos))
    except (_OddError, IndexError, MalformedError):
        return None
    return (stop, issuer, subject) if pos == stop else None


def _signed_part(data: bytes, pos: int) -> tuple[int, Name, Name]:
    pos, end = _enter(data, pos, _SEQUENCE)
    if data.startswith(_VERSION, pos):
        pos += 5
    pos = _algorithm(data, _serial(data, pos))
    issuer_at, (_, validity) = pos, _enter(data, pos, _SEQUENCE)
    subject_at = _validity(data, validity)
    _, key = _enter(data, subject_at, _SEQUENCE)
    raw = data[subject_at:key]
    subject = issuer = _name(raw)
    if data[issuer_at:validity] != raw:
        issuer = _name(data[issuer_at:validity])
    pos = _key(data, key)
    if pos != end:
        pos = _extensions(data, pos)
    if pos != end:
        raise _OddError
    return pos, issuer, subject


def _enter(data: bytes, pos: int, identifier: int) -> tuple[int, int]:
    """First octet of the contents of the element at ``pos``, and the place behind them."""
    if data[pos] != identifier:
        raise _OddError
    length = data[pos + 1]
    if length < 0x80:
        return pos + 2, pos + 2 + length
    if length == 0x82 and data[pos + 2]:
        return pos + 4, pos + 4 + (data[pos + 2] << 8 | data[pos + 3])
    if length == 0x81 and data[pos + 2] >= 0x80:
        return pos + 3, pos + 3 + data[pos + 2]
    raise _OddError


def _serial(data: bytes, pos: int) -> int:
    start, stop = _enter(data, pos, _INTEGER)
    check_integer(data[start:stop])
    return stop


def _algorithm(data: bytes, pos: int) -> int:
    stop = pos + 2 + data[pos + 1]
    _check_algorithm(data[pos:stop])
    return stop


@lru_cache(maxsize=128)  # there are few
def _check_algorithm(element: bytes) -> None:
    """Raise unless these octets are one AlgorithmIdentifier, and OpenSSL writes it again as it stands."""
    if encode(SEQUENCE, take_algorithm(Reader(element))) != element:
        raise _OddError


def _validity(data: bytes, pos: int) -> int:
    start, stop = _enter(data, pos, _SEQUENCE)
    second = start + 2 + data[start + 1]
    behind = second + 2 + data[second + 1]
    # A length of 128 or more is of the long form, and cannot end there.
    if data[start] not in _TIMES or data[second] not in _TIMES or behind != stop or stop - start >= 0x80:
        raise _OddError
    return stop


def _key(data: bytes, pos: int) -> int:
    start, stop = _enter(data, pos, _SEQUENCE)
    if _bit_string(data, _algorithm(data, start)) != stop:
        raise _OddError
    return stop


def _bit_string(data: bytes, pos: int) -> int:
    start, stop = _enter(data, pos, _BIT_STRING)
    if start == stop or data[start]:
        raise _OddError
    return stop


def _extensions(data: bytes, pos: int) -> int:
    pos, end = _enter(data, pos, _EXPLICIT_EXTENSIONS)
    pos, stop = _enter(data, pos, _SEQUENCE)
    while pos < stop:
        pos = _extension(data, pos)
    if pos != stop or stop != end:
        raise _OddError
    return stop


def _extension(data: bytes, pos: int) -> int:
    oid, stop = _enter(data, pos, _SEQUENCE)
    value = oid + 2 + data[oid + 1]
    if data[oid] != _OID or data[oid + 1] >= 0x80:
        raise _OddError
    check_oid(data[oid + 2 : value])
    if data[value] == _BOOLEAN and data[value + 1] == 1:
        value += 3
    if _enter(data, value, _OCTET_STRING)[1] != stop:
        raise _OddError
    return stop


def _name(raw: bytes) -> Name:
    pos, stop = _enter(raw, 0, _SEQUENCE)
    sets = []
    while pos < stop:
        behind = pos + 2 + raw[pos + 1]
        sets.append(_canonical_rdn(raw[pos:behind]))
        pos = behind
    if pos != stop:
        raise _OddError
    return Name(raw, b"".join(sets))


@lru_cache(maxsize=1024)  # countries and companies come again and again
def _canonical_rdn(rdn: bytes) -> bytes:
    """Canonical form of a SET with as many octets as its second one says, if it has less than 128."""
    length = len(rdn) - 2
    if rdn[0] != _SET or length >= 0x80:
        raise _OddError
    value = rdn[11:]
    plain = (
        rdn[2] == _SEQUENCE
        and rdn[3] == length - 2
        and rdn.startswith(_ATTRIBUTE, 4)
        and rdn[8] < 0x80
        and rdn[9] in _FOLDED_TEXTS
        and rdn[10] == len(value)
        and value.isascii()
    )
    if not plain:
        return canonical_set(Reader(rdn[2:]))
    text = b" ".join(value.split()).lower()
    size = len(text)
    return bytes((_SET, size + 9, _SEQUENCE, size + 7, *rdn[4:9], _UTF8_STRING, size)) + text
