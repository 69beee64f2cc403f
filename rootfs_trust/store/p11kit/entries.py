"""The data model of p11-kit's trust module: certificates with their trust, and the parts that it compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.der import INTEGER, OID, SEQUENCE, UTF8_STRING, DerReader, encode, reader_for_element
from rootfs_trust.x509.extensions import Extension, read_extensions, take_explicit_extensions
from rootfs_trust.x509.oids import CLIENT_AUTH, CODE_SIGNING, EMAIL, SERVER_AUTH, dotted
from rootfs_trust.x509.public_key import take_algorithm, take_key
from rootfs_trust.x509.times import take_validity

Place = Literal["anchors", "blocklist", ""]
"""The subdirectory of a token (a source directory of p11-kit) that contains a file. Empty: the top directory, which
implies no trust.
"""

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
"""P11_OID_RESERVED_PURPOSE: a placeholder in lists without purposes, since RFC 5280 forbids empty ones."""

OPENSSL_REJECT = "1.3.6.1.4.1.3319.6.10.1"
"""P11_OID_OPENSSL_REJECT: the purposes that a TRUSTED CERTIFICATE rejects."""


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """An entry of a source file: a certificate with its trust, or the trust of a certificate that the file does not
    contain.

    ``label`` is the name that the file gives it, or None if the file gives none. ``issuer``, ``serial`` and ``key`` are
    whole DER elements, empty if unknown. ``server_distrust_after`` is the date after which issued server
    certificates are not trusted; ``trust extract`` ignores it.
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
    mozilla: bool = False
    """Whether the certificate is part of Mozilla's root program."""
    distrusts_only_itself: bool = False
    """Whether the value of ``x-distrusted`` is neither true nor false. Other copies of the certificate then stay
    trusted.
    """


@dataclass(frozen=True, slots=True)
class StapledExtension:
    """An extension that a source file attaches to a key: every certificate with this ``key`` in the token gets it.
    ``der`` is an Extension.

    ``oid`` is the OID that the file states, as a DER element. It may differ from that in ``der``.
    """

    path: str
    key: bytes
    der: bytes
    oid: bytes = b""


_VERSION, _UNIQUE_IDS, _EXTENSIONS = 0x80, (0x81, 0x82), 0x83
_BMP_STRING, _UNIVERSAL_STRING = 30, 28
_BYTE_STRINGS = frozenset((UTF8_STRING, 18, 19, 20, 22))
"""String types that p11-kit decodes as UTF-8, although some of them have another character set."""


@dataclass(frozen=True, slots=True)
class Parts:
    """DER elements of a certificate. ``version`` is the content of its INTEGER; ``extensions`` are pairs of OID and
    value.
    """

    version: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    extensions: tuple[Extension, ...]

    def extension(self, oid: str) -> bytes | None:
        """Return the value of the first extension ``oid`` (p11_x509_find_extension in trust/x509.c)."""
        return next((value for found, value in self.extensions if dotted(found) == oid), None)


@lru_cache(maxsize=1024)  # a store has some hundred certificates, each used for several outputs
def parts_of(der: bytes) -> Parts:
    """Split a certificate into its parts. ``der`` must be valid."""
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
    """Read one Extension and return its dotted OID and its value. Raises MalformedError if it is malformed."""
    found = read_extensions(encode(SEQUENCE, der))
    if len(found) != 1:
        raise MalformedError("not one extension")
    oid, value = found[0]
    if len(oid) < 2:  # p11_oid_simple in common/oid.c
        raise MalformedError("the OID of an extension is too short")
    return dotted(oid), value


def usages(value: bytes) -> tuple[str, ...]:
    """Return the OIDs of an ExtKeyUsageSyntax in their order; raises MalformedError."""
    reader = DerReader(value)
    body = reader.enter_list(SEQUENCE)
    oids = take_oids(body)
    reader.leave(body)
    if reader.pos != len(value):
        raise MalformedError("bytes follow the usages")
    return oids


def take_oids(body: DerReader) -> tuple[str, ...]:
    """Read the remaining OIDs of a SEQUENCE OF OBJECT IDENTIFIER, and return them in dotted decimal."""
    oids = tuple(dotted(body.oid()) for _ in iter(body.more, False))
    if any(each.startswith("#") for each in oids):
        raise MalformedError("an OBJECT IDENTIFIER is too long")
    return oids


def name_texts(subject: bytes, oid: str) -> Iterator[bytes | None]:
    """Yield the values of the attributes ``oid`` as UTF-8 in their order; None for a value that is not text.

    Source: p11_x509_parse_directory_string in trust/x509.c: any one-byte string counts as UTF-8, and everything after a
    NUL is ignored.
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
            # Each half of a surrogate pair is encoded separately (utf8_for_uchar in trust/utf8.c).
            units = (int.from_bytes(text[n : n + 2]) for n in range(0, len(text), 2))
            whole = "".join(map(chr, units)).encode("utf-8", "surrogatepass")
        elif tag == _UNIVERSAL_STRING:
            whole = text.decode("utf-32-be").encode()
        else:
            return None
    except UnicodeDecodeError:
        return None
    return whole.partition(b"\0")[0]
