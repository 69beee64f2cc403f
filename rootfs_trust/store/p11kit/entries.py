"""What p11-kit's trust module knows: certificates with their trust, and the parts of them that it compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.certificate import (
    Extension,
    read_extensions,
    take_algorithm,
    take_explicit_extensions,
    take_key,
    take_validity,
)
from rootfs_trust.x509.der import INTEGER, OID, SEQUENCE, UTF8_STRING, DerReader, encode, reader_for_element
from rootfs_trust.x509.oids import CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, dotted

Place = Literal["anchors", "blocklist", ""]
"""The folder of a token that a file stands in; empty is the token's own folder, which says nothing of trust."""

KNOWN_PURPOSES = (
    SERVER_AUTH,
    CLIENT_AUTH,
    CODE_SIGNING,
    EMAIL,
    "1.3.6.1.5.5.7.3.5",  # IPsec end system, tunnel, user
    "1.3.6.1.5.5.7.3.6",
    "1.3.6.1.5.5.7.3.7",
    "1.3.6.1.5.5.7.3.8",  # time stamping
)
NO_PURPOSE = "1.3.6.1.4.1.3319.6.10.16"
"""P11_OID_RESERVED_PURPOSE: keeps a list of no purposes from being empty, which RFC 5280 forbids."""

EXTENDED_KEY_USAGE = "2.5.29.37"
BASIC_CONSTRAINTS = "2.5.29.19"
SUBJECT_KEY_ID = "2.5.29.14"
OPENSSL_REJECT = "1.3.6.1.4.1.3319.6.10.1"
"""P11_OID_OPENSSL_REJECT: the purposes that a TRUSTED CERTIFICATE rejects."""


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A certificate as one file of the store has it, or what it says of one that it does not hold.

    ``label`` is what the file calls it, None if it leaves that to the subject. ``issuer``, ``serial`` and
    ``key`` are whole DER elements, empty where they are not known. ``distrust_after`` are the dates after which
    issued server and email certificates are not trusted; ``trust extract`` pays them no heed.
    """

    path: str
    certificate: Certificate | None
    label: bytes | None = None
    trusted: bool = False
    distrusted: bool = False
    category: int | None = None
    issuer: bytes = b""
    serial: bytes = b""
    key: bytes = b""
    server_distrust_after: bytes = b""
    email_distrust_after: bytes = b""
    mozilla: bool = False
    """Whether it is part of Mozilla's programme."""


@dataclass(frozen=True, slots=True)
class StapledExtension:
    """An extension that holds for every certificate with this ``key`` in the same token. ``der``: an Extension.

    ``oid`` is the element that the file names it by, which may be another than that in ``der``.
    """

    path: str
    key: bytes
    der: bytes
    oid: bytes = b""


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
    body = DerReader(der).enter(SEQUENCE).enter(SEQUENCE)
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


def _element(reader: DerReader, tag: int) -> bytes:
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


def usages(value: bytes) -> tuple[str, ...]:
    """The OIDs of an ExtKeyUsageSyntax in their order; raises MalformedError."""
    reader = DerReader(value)
    body = reader.enter_list(SEQUENCE)
    oids = take_oids(body)
    reader.leave(body)
    if reader.pos != len(value):
        raise MalformedError("octets follow the usages")
    return oids


def take_oids(body: DerReader) -> tuple[str, ...]:
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
    names = reader_for_element(subject).enter_list(SEQUENCE)
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
