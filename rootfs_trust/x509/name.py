"""Parse distinguished names, with their canonical form and both subject hashes, and general names (RFC 5280, 4.2.1.6).

Sources: crypto/x509/x_name.c (x509_name_ex_d2i, x509_name_canon, asn1_string_canon), x509_cmp.c
(X509_NAME_hash_ex, X509_NAME_hash_old), crypto/asn1/tasn_dec.c for the types that a value may have.
"""

from __future__ import annotations

from hashlib import md5, sha1
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import (
    BIT_STRING,
    BMP_STRING,
    OID,
    SEQUENCE,
    SET,
    UNIVERSAL_STRING,
    UTF8_STRING,
    DerReader,
    encode,
    reader_for_element,
    tag_name,
)
from rootfs_trust.x509.oids import ATTRIBUTES, dotted

# Encodings of strings that are converted to canonical form; others keep their tag and their bytes.
_FOLDED = {12: "utf-8", 19: "latin-1", 20: "latin-1", 22: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}
# B_ASN1_PRINTABLE: the allowed types of a value. The unusual ones are B_ASN1_UNKNOWN in OpenSSL.
_ALLOWED = frozenset((3, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 28, 29, 30))
_MAX_SIZE = 1024 * 1024  # X509_NAME_MAX
# Encodings for displaying other strings.
_SHOWN = _FOLDED | {18: "latin-1"}

# Type and value of one attribute: contents of the OID, tag and contents of the value (for a SEQUENCE, the whole
# element).
Attribute = tuple[bytes, int, bytes]


class Name:
    """A distinguished name. ``raw`` is the whole element.

    Names are compared by their canonical form (X509_NAME_cmp). The constructor raises MalformedError if OpenSSL would
    refuse the name. A caller that knows the canonical form can pass it.
    """

    __slots__ = ("canonical", "raw")

    def __init__(self, raw: bytes, canonical: bytes | None = None) -> None:
        self.raw = raw
        self.canonical = _read_whole(raw) if canonical is None else canonical

    @classmethod
    def take(cls, reader: DerReader) -> Name:
        """Take the next name from ``reader``."""
        begin = reader.pos
        canonical = read_name(reader)
        return cls(reader.data[begin : reader.pos], canonical)

    @property
    def hash(self) -> str:
        """The subject hash since OpenSSL 1.0.0, as eight hexadecimal digits."""
        return _first_four(sha1(self.canonical, usedforsecurity=False).digest())

    @property
    def hash_old(self) -> str:
        """The subject hash before OpenSSL 1.0.0, as eight hexadecimal digits."""
        return _first_four(md5(self.raw, usedforsecurity=False).digest())

    @property
    def text(self) -> str:
        """The name for display, as in RFC 4514, last attribute first. Values that are not text are in hex."""
        return ",".join("+".join(map(_shown, rdn)) for rdn in reversed(self._rdns()))

    @property
    def common_name(self) -> str | None:
        """The last common name, for display."""
        return next(reversed(self.texts("2.5.4.3")), None)

    @property
    def organization(self) -> str | None:
        """The last organization name, for display."""
        return next(reversed(self.texts("2.5.4.10")), None)

    def texts(self, oid: str) -> list[str]:
        """Return all values of the attribute type ``oid``, a dotted OID, in order."""
        return [_as_text(tag, value) for rdn in self._rdns() for at, tag, value in rdn if dotted(at) == oid]

    def _rdns(self) -> list[list[Attribute]]:
        names = reader_for_element(self.raw).enter_list(SEQUENCE)
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
    reader = reader_for_element(raw)
    canonical = read_name(reader)
    if reader.pos != len(raw):
        raise MalformedError("more bytes follow the name")
    return canonical


def read_name(reader: DerReader) -> bytes:
    """Take a name and return its canonical form: one SET after the other, without the outer SEQUENCE."""
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


def canonical_set(rdn: DerReader) -> bytes:
    """Return one SET in canonical form, sorted by the rules of DER; nothing for an empty one."""
    elements = [_folded(*_attribute(rdn)) for _ in iter(rdn.more, False)]
    return encode(SET, b"".join(sorted(elements))) if elements else b""


def _attributes(names: DerReader) -> list[Attribute]:
    rdn = names.enter_list(SET)
    attributes = [_attribute(rdn) for _ in iter(rdn.more, False)]
    names.leave(rdn)
    return attributes


def _attribute(rdn: DerReader) -> Attribute:
    pair = rdn.enter(SEQUENCE)
    oid = pair.oid()
    tag = pair.next_tag()
    if tag not in _ALLOWED:
        raise MalformedError(f"{tag_name(tag)} as a value in a name")
    # Strings with two and four bytes per character are checked when they are converted.
    value = pair.any() if tag == SEQUENCE else pair.bit_string() if tag == BIT_STRING else pair.value(tag)
    rdn.leave(pair)
    return oid, tag, value


def _folded(oid: bytes, tag: int, value: bytes) -> bytes:
    """Return an attribute in canonical form (asn1_string_canon)."""
    if tag == SEQUENCE:
        shown = value
    elif tag in _FOLDED:
        shown = encode(UTF8_STRING, _fold(tag, value))
    else:
        shown = encode(tag, value)
    return encode(SEQUENCE, encode(OID, oid) + shown)


def _fold(tag: int, value: bytes) -> bytes:
    """Return text as UTF-8, with ASCII letters in lower case, and white space collapsed and stripped."""
    if tag >= UNIVERSAL_STRING or not value.isascii():
        value = _utf8(tag, value)
    # split() and lower() of bytes handle only ASCII, as OpenSSL does.
    return b" ".join(value.split()).lower()


def _utf8(tag: int, value: bytes) -> bytes:
    try:
        text = value.decode(_FOLDED[tag])
    except UnicodeDecodeError:
        raise MalformedError(f"{tag_name(tag)} has contents that its type does not allow") from None
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
    """Escape text as in RFC 4514, section 2.4, and also unprintable characters."""
    escaped = "".join("\\" + c if c in '",+;<>\\' else c if c.isprintable() else _hex_pairs(c) for c in text)
    if text[:1] in ("#", " "):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if len(text) > 1 and text.endswith(" ") else escaped


def _hex_pairs(character: str) -> str:
    return "".join(f"\\{octet:02x}" for octet in character.encode())


DNS, ADDRESS, DIRECTORY = 0x82, 0x87, 0x84
"""Tags of the general names for servers, and of directory names, whose constraints apply to subjects."""

OTHER_NAME, MAIL, URI = 0x80, 0x81, 0x86
"""Tags of other kinds of general names, which clients treat differently."""

_PERMITTED, _EXCLUDED = 0x80, 0x81


class GeneralName(NamedTuple):
    """A general name of the kind ``tag``: the bytes of a host, mailbox, URI or address, or a whole directory name."""

    tag: int
    value: bytes


class NameConstraints(NamedTuple):
    """Permitted and excluded names (RFC 5280, 4.2.1.10). A missing list is empty."""

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()


def general_names(value: bytes) -> tuple[GeneralName, ...]:
    """Parse GeneralNames."""
    body = DerReader(value).enter_list(SEQUENCE)
    return tuple(_take_general_name(body) for _ in iter(body.more, False))


def name_constraints(value: bytes) -> NameConstraints:
    """Parse NameConstraints. Minimum and maximum, which RFC 5280 fixes, are ignored."""
    body = DerReader(value).enter(SEQUENCE)
    return NameConstraints(_take_subtrees(body, _PERMITTED), _take_subtrees(body, _EXCLUDED))


def _take_subtrees(body: DerReader, tag: int) -> tuple[GeneralName, ...]:
    if body.next_tag() != tag:
        return ()
    subtrees = body.enter_list(tag)
    found = []
    while subtrees.more():
        subtree = subtrees.enter(SEQUENCE)
        found.append(_take_general_name(subtree))
        while subtree.more():
            subtree.any()
        subtrees.leave(subtree)
    body.leave(subtrees)
    return tuple(found)


def _take_general_name(reader: DerReader) -> GeneralName:
    tag = reader.next_tag()
    element = reader.any()
    inner = DerReader(element)
    if tag == DIRECTORY:
        return GeneralName(tag, inner.enter(tag).any())
    return GeneralName(tag, inner.value(tag) if tag in (DNS, MAIL, URI, ADDRESS) else element)
