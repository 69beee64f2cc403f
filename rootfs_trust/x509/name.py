"""Distinguished names: the canonical form, and the two hashes that name links in a hash directory.

Sources: crypto/x509/x_name.c (x509_name_ex_d2i, x509_name_canon, asn1_string_canon), x509_cmp.c
(X509_NAME_hash_ex, X509_NAME_hash_old), crypto/asn1/tasn_dec.c for what may stand as a value.
"""

from __future__ import annotations

from hashlib import md5, sha1

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader, encode, reread
from rootfs_trust.x509.oids import ATTRIBUTES, dotted
from rootfs_trust.x509.primitive import (
    BIT_STRING,
    BMP_STRING,
    OID,
    SEQUENCE,
    SET,
    UNIVERSAL_STRING,
    UTF8_STRING,
    tag_name,
)

# Encodings of the texts that are folded; the others keep their tag and their octets.
_FOLDED = {12: "utf-8", 19: "latin-1", 20: "latin-1", 22: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}
# B_ASN1_PRINTABLE: what may stand as a value. The odd ones are those that OpenSSL calls B_ASN1_UNKNOWN.
_ALLOWED = frozenset((3, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 28, 29, 30))
_MAX_SIZE = 1024 * 1024  # X509_NAME_MAX
# How text that is not folded is shown to people.
_SHOWN = _FOLDED | {18: "latin-1"}

# Type and value of one attribute: contents of the OID, tag and contents of the value (a SEQUENCE: all of it).
Attribute = tuple[bytes, int, bytes]


class Name:
    """A name as it stood (``raw``, the whole element), and what OpenSSL makes of it.

    Names are equal when their canonical forms are (X509_NAME_cmp). Making one raises MalformedError if
    OpenSSL would refuse the name and whatever certificate holds it; who knows the canonical form can tell it.
    """

    __slots__ = ("canonical", "raw")

    def __init__(self, raw: bytes, canonical: bytes | None = None) -> None:
        self.raw = raw
        self.canonical = _read_whole(raw) if canonical is None else canonical

    @classmethod
    def take(cls, reader: Reader) -> Name:
        """The name that comes next in ``reader``."""
        begin = reader.pos
        canonical = read_name(reader)
        return cls(reader.data[begin : reader.pos], canonical)

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits: the subject hash since OpenSSL 1.0.0."""
        return _first_four(sha1(self.canonical, usedforsecurity=False).digest())

    @property
    def hash_old(self) -> str:
        """Eight hexadecimal digits: the subject hash before OpenSSL 1.0.0."""
        return _first_four(md5(self.raw, usedforsecurity=False).digest())

    @property
    def text(self) -> str:
        """For people: like RFC 4514, last attribute first. Never fails: what is no text comes in hex."""
        return ",".join("+".join(map(_shown, rdn)) for rdn in reversed(self._rdns()))

    @property
    def common_name(self) -> str | None:
        """The last common name, for people."""
        return self._last("2.5.4.3")

    @property
    def organization(self) -> str | None:
        """The last organization name, for people."""
        return self._last("2.5.4.10")

    def _last(self, oid: str) -> str | None:
        found = [(tag, value) for rdn in self._rdns() for at, tag, value in rdn if dotted(at) == oid]
        return _as_text(*found[-1]) if found else None

    def _rdns(self) -> list[list[Attribute]]:
        names = reread(self.raw).enter_list(SEQUENCE)
        return [_attributes(names) for _ in iter(names.more, False)]

    def __eq__(self, other: object) -> bool:
        return self.canonical == other.canonical if isinstance(other, Name) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __repr__(self) -> str:
        return f"Name({self.text!r})"


def _first_four(digest: bytes) -> str:
    return digest[3::-1].hex()


def _read_whole(raw: bytes) -> bytes:
    reader = reread(raw)
    canonical = read_name(reader)
    if reader.pos != len(raw):
        raise MalformedError("octets follow the name")
    return canonical


def read_name(reader: Reader) -> bytes:
    """Take a name and give its canonical form: one SET after the other, without the SEQUENCE around them."""
    begin = reader.pos
    names = reader.enter_list(SEQUENCE)
    sets: list[bytes] = []
    while names.more():
        rdn = names.enter_list(SET)
        sets.append(canonical_set(rdn))
        names.leave(rdn)
    reader.leave(names)
    if reader.pos - begin > _MAX_SIZE:
        raise MalformedError("a name of more than a megabyte")
    return b"".join(sets)


def canonical_set(rdn: Reader) -> bytes:
    """The contents of one SET, folded and then sorted as DER asks, with its header; nothing for an empty one."""
    elements = [_folded(*_attribute(rdn)) for _ in iter(rdn.more, False)]
    return encode(SET, b"".join(sorted(elements))) if elements else b""


def _attributes(names: Reader) -> list[Attribute]:
    rdn = names.enter_list(SET)
    attributes = [_attribute(rdn) for _ in iter(rdn.more, False)]
    names.leave(rdn)
    return attributes


def _attribute(rdn: Reader) -> Attribute:
    pair = rdn.enter(SEQUENCE)
    oid = pair.oid()
    tag = pair.next_tag()
    if tag not in _ALLOWED:
        raise MalformedError(f"{tag_name(tag)} as a value in a name")
    # Texts of two and four octets a character are checked when they are folded.
    value = pair.any() if tag == SEQUENCE else pair.bit_string() if tag == BIT_STRING else pair.value(tag)
    rdn.leave(pair)
    return oid, tag, value


def _folded(oid: bytes, tag: int, value: bytes) -> bytes:
    """An attribute in its canonical form (asn1_string_canon)."""
    if tag == SEQUENCE:
        shown = value
    elif tag in _FOLDED:
        shown = encode(UTF8_STRING, _fold(tag, value))
    else:
        shown = encode(tag, value)
    return encode(SEQUENCE, encode(OID, oid) + shown)


def _fold(tag: int, value: bytes) -> bytes:
    """Text as UTF-8, ASCII letters small, runs of ASCII white space made one space, none at the ends."""
    if tag >= UNIVERSAL_STRING or not value.isascii():
        value = _utf8(tag, value)
    # split() and lower() of bytes know nothing but ASCII, which is what OpenSSL asks for.
    return b" ".join(value.split()).lower()


def _utf8(tag: int, value: bytes) -> bytes:
    try:
        text = value.decode(_FOLDED[tag])
    except UnicodeDecodeError:
        raise MalformedError(f"{tag_name(tag)} is not what its type promises") from None
    if tag == BMP_STRING and len(text) * 2 != len(value):
        raise MalformedError("surrogates in a BMPString")
    return text.encode()


def _shown(attribute: Attribute) -> str:
    oid, (_, tag, value) = dotted(attribute[0]), attribute
    text = _as_text(tag, value)
    return f"{ATTRIBUTES.get(oid, oid)}={_escaped(text) if tag in _SHOWN else text}"


def _as_text(tag: int, value: bytes) -> str:
    if tag in _SHOWN:
        return value.decode(_SHOWN[tag])
    return "#" + (value if tag == SEQUENCE else encode(tag, value)).hex()


def _escaped(text: str) -> str:
    """Escapes of RFC 4514, section 2.4; what cannot be printed too, so that a terminal stays as it is."""
    escaped = "".join("\\" + c if c in '",+;<>\\' else c if c.isprintable() else _hex_pairs(c) for c in text)
    if text[:1] in ("#", " "):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if len(text) > 1 and text.endswith(" ") else escaped


def _hex_pairs(character: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in character.encode())
