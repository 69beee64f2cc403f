"""The pieces of a certificate that p11-kit compares and shows, exactly as they stand in its DER."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, encode, reread
from rootfs_trust.x509.oids import dotted
from rootfs_trust.x509.primitive import INTEGER, OID, SEQUENCE, UTF8_STRING
from rootfs_trust.x509.structure import (
    Extension,
    read_extensions,
    take_algorithm,
    take_explicit_extensions,
    take_key,
    take_validity,
)

_VERSION, _UNIQUE_IDS, _EXTENSIONS = 0x80, (0x81, 0x82), 0x83
_BMP_STRING, _UNIVERSAL_STRING = 30, 28
_BYTE_STRINGS = frozenset((UTF8_STRING, 18, 19, 20, 22))
"""Types whose octets p11-kit takes for UTF-8, whatever their own character set is."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Whole elements, save ``version`` (the INTEGER's contents) and ``extensions`` (OID and value each)."""

    version: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    extensions: tuple[Extension, ...]

    def extension(self, oid: str) -> bytes | None:
        """The value of the first extension ``oid`` (p11_x509_find_extension in trust/x509.c)."""
        return next((value for found, value in self.extensions if dotted(found) == oid), None)


@lru_cache(maxsize=1024)  # a store holds some hundreds, each looked at for several outputs
def parts_of(der: bytes) -> Parts:
    """The parts of a certificate that has been parsed before."""
    body = Reader(der).enter(SEQUENCE).enter(SEQUENCE)
    version = body.enter(_VERSION).integer() if body.next_tag() == _VERSION else b"\0"
    serial = _element(body, INTEGER)
    take_algorithm(body)
    issuer = _element(body, SEQUENCE)
    take_validity(body)
    subject = _element(body, SEQUENCE)
    key = take_key(body)
    for tag in _UNIQUE_IDS:
        if body.next_tag() == tag:
            body.bit_string(tag)
    extensions = read_extensions(take_explicit_extensions(body, _EXTENSIONS))
    return Parts(version, serial, issuer, subject, key, tuple(extensions))


def _element(reader: Reader, tag: int) -> bytes:
    begin = reader.pos
    if tag == SEQUENCE:
        inner = reader.enter_list(tag)
        while inner.more():
            inner.any()
        reader.leave(inner)
    else:
        reader.value(tag)
    return reader.data[begin : reader.pos]


def take_extension(der: bytes) -> tuple[str, bytes]:
    """Dotted OID and value of one Extension; raises MalformedError if it is none."""
    found = read_extensions(encode(SEQUENCE, der))
    if len(found) != 1:
        raise MalformedError("not one extension")
    oid, value = found[0]
    if len(oid) < 2:  # p11_oid_simple in common/oid.c
        raise MalformedError("an extension of too short an OID")
    return dotted(oid), value


def oid_contents(text: str) -> bytes:
    """The contents of an OBJECT IDENTIFIER that is given in dotted decimal."""
    first, second, *others = map(int, text.split("."))
    return b"".join(map(_base128, (first * 40 + second, *others)))


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))


def encode_usages(oids: Iterable[str], tag: int = SEQUENCE) -> bytes:
    """An ExtKeyUsageSyntax, or with another ``tag`` a list of the same kind."""
    return encode(tag, b"".join(encode(OID, oid_contents(each)) for each in oids))


def usages(value: bytes) -> tuple[str, ...]:
    """The OIDs of an ExtKeyUsageSyntax in their order; raises MalformedError."""
    reader = Reader(value)
    body = reader.enter_list(SEQUENCE)
    oids = take_oids(body)
    reader.leave(body)
    if reader.pos != len(value):
        raise MalformedError("octets follow the usages")
    return oids


def take_oids(body: Reader) -> tuple[str, ...]:
    """The rest of a SEQUENCE OF OBJECT IDENTIFIER, in dotted decimal."""
    oids = tuple(dotted(body.oid()) for _ in iter(body.more, False))
    if any(each.startswith("#") for each in oids):
        raise MalformedError("an OBJECT IDENTIFIER of endless length")
    return oids


def name_texts(subject: bytes, oid: str) -> Iterator[bytes | None]:
    """The values of the attributes ``oid`` as UTF-8 in their order; None is one that is no text.

    Source: p11_x509_parse_directory_string in trust/x509.c: any one-byte string counts as UTF-8, and what
    follows a NUL is not seen.
    """
    names = reread(subject).enter_list(SEQUENCE)
    while names.more():
        rdn = names.enter_list(0x11)
        while rdn.more():
            pair = rdn.enter(SEQUENCE)
            found = dotted(pair.value(OID))
            tag = pair.next_tag()
            text = pair.any() if tag == SEQUENCE else pair.value(tag)
            if found == oid:
                yield _utf8(tag, text)
            rdn.leave(pair)
        names.leave(rdn)


def _utf8(tag: int, text: bytes) -> bytes | None:
    try:
        if tag in _BYTE_STRINGS:
            whole = text.decode().encode()
        elif tag == _BMP_STRING:
            # Each half of a surrogate pair is written for itself (utf8_for_uchar in trust/utf8.c).
            units = (int.from_bytes(text[n : n + 2]) for n in range(0, len(text), 2))
            whole = "".join(map(chr, units)).encode("utf-8", "surrogatepass")
        elif tag == _UNIVERSAL_STRING:
            whole = text.decode("utf-32-be").encode()
        else:
            return None
    except UnicodeDecodeError:
        return None
    return whole.partition(b"\0")[0]
