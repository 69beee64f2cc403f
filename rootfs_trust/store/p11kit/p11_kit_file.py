"""The ``.p11-kit`` file format: objects of the trust store as named attributes and PEM blocks.

Source: common/persist.c (p11_persist_read, field_to_attribute), common/lexer.c (p11_lexer_next), and
doc/internal/persist-format.txt. A file with any part that cannot be parsed is not treated as this format at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit import pem
from rootfs_trust.x509.der import OID, base128, encode

Attributes = dict[str, bytes]
"""Attributes of one object, by their names in the file. Values have the form of PKCS #11: a boolean is a string of one
byte, and a number is one of 8 bytes (on 64-bit systems).
"""

_LARGEST = 2**64 - 1
_LARGEST_ARC = 2**63 - 1
_NO_ATTRIBUTE = f"#{_LARGEST}"
"""CKA_INVALID, the attribute that ends a list in p11-kit, so it cannot be an attribute of an object. From 0.26.3 on, a
file that contains it is malformed.
"""

DATA, CERTIFICATE, EXTENSION, X509, AUTHORITY = 0, 1, 0xD84447C8, 0, 2
OTHER_CLASSES = frozenset((0xCE534353, 0xCE534354, 0xD8444764))
"""Classes of NSS trust objects and others. p11-kit accepts them, but ``trust extract`` ignores them."""

_CONSTANTS = {
    "data": DATA,
    "certificate": CERTIFICATE,
    "nss-trust": 0xCE534353,
    "nss-builtin-root-list": 0xCE534354,
    "x-trust-assertion": 0xD8444764,
    "x-certificate-extension": EXTENSION,
    "x-509": X509,
    "x-509-attr-cert": 1,
    "wtls": 2,
    "unspecified": 0,
    "token-user": 1,
    "authority": AUTHORITY,
    "other-entry": 3,
}
_COMMON = frozenset(("class", "token", "modifiable", "private", "label"))
OF_CERTIFICATE = _COMMON | {
    "certificate-category",
    "certificate-type",
    "check-value",
    "end-date",
    "hash-of-issuer-public-key",
    "hash-of-subject-public-key",
    "id",
    "issuer",
    "java-midp-security-domain",
    "nss-email-distrust-after",
    "nss-mozilla-ca-policy",
    "nss-server-distrust-after",
    "public-key-info",
    "serial-number",
    "start-date",
    "subject",
    "trusted",
    "url",
    "value",
    "x-distrusted",
}
OF_EXTENSION = _COMMON | {"id", "object-id", "public-key-info", "value"}
OF_DATA = _COMMON | {"application", "object-id", "value"}
"""Attributes that each class may have (trust/builder.c)."""

_NAMES = OF_CERTIFICATE | OF_EXTENSION | OF_DATA | {"ac-issuer", "owner", "x-critical", "x-peer", "x-purpose"}
"""All known attributes. p11-kit also knows those of keys, which do not occur in a trust store."""

_NUMBERED = {
    0: "class",
    1: "token",
    2: "private",
    3: "label",
    0x10: "application",
    0x11: "value",
    0x12: "object-id",
    0x80: "certificate-type",
    0x81: "issuer",
    0x82: "serial-number",
    0x86: "trusted",
    0x87: "certificate-category",
    0x88: "java-midp-security-domain",
    0x89: "url",
    0x8A: "hash-of-subject-public-key",
    0x8B: "hash-of-issuer-public-key",
    0x90: "check-value",
    0x101: "subject",
    0x102: "id",
    0x110: "start-date",
    0x111: "end-date",
    0x129: "public-key-info",
    0x170: "modifiable",
    0xCE534372: "nss-mozilla-ca-policy",
    0xCE534373: "nss-server-distrust-after",
    0xCE534374: "nss-email-distrust-after",
    0xD8444764: "x-distrusted",
}

_MAGIC = b"[p11-kit-object-v1]"
_SPACE = b" \t\n\v\f\r"
_BOOLEANS = {"true": b"\1", "false": b"\0"}
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)")
_ESCAPE = re.compile(rb"%(..?)?", re.DOTALL)
_HEX = re.compile(rb"[0-9A-Fa-f]{2}")
# No digit 8, by a mistake in parse_oid: p11-kit does not read such a file either.
_OID = re.compile(r"[1-79][0-79]*(\.[0-79]+){2,}")


def is_persist(data: bytes) -> bool:
    """Return whether p11-kit tries to parse ``data`` as a .p11-kit file (p11_persist_magic)."""
    return _MAGIC in data.partition(b"\0")[0]


def objects(data: bytes) -> list[Attributes]:
    """Return the objects of a file in their order. Raises MalformedError."""
    found: list[Attributes] = []
    skipping = False
    for token in _tokens(data):
        if token[0] == "section":
            skipping = token[1] != _MAGIC
            if not skipping:
                found.append({})
        elif not skipping:
            if not found:
                raise MalformedError("an attribute comes before the first section")
            _add_token(found[-1], token)
    return found


def _add_token(attributes: Attributes, token: tuple[str, bytes, bytes]) -> None:
    """Add a field or a PEM block to ``attributes``. A field replaces an earlier value; a PEM block does not."""
    kind, name, value = token
    if kind == "field":
        attributes[_name(name)] = _value(value.decode("latin-1"))
        attributes.pop(_NO_ATTRIBUTE, None)
    else:
        for key, each in _of_pem(value).items():
            attributes.setdefault(key, each)


# -- lines -------------------------------------------------------------------------------------------------


def _tokens(data: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield sections, fields and PEM blocks (p11_lexer_next)."""
    pos = 0
    while pos < len(data):
        if data.startswith(b"-----BEGIN ", pos):
            end = _end_of_pem(data, pos)
            yield "pem", b"", data[pos:end]
        else:
            end = data.find(b"\n", pos) + 1 or len(data)
            line = data[pos:end].strip(_SPACE)
            if line and not line.startswith(b"#"):
                yield _token(line)
        pos = end


def _end_of_pem(data: bytes, pos: int) -> int:
    last = data.find(b"\n-----END ", pos)
    if last < 0 or b"\0" in data[pos:last]:  # strnstr stops at NUL
        raise MalformedError("a PEM block has no END")
    return data.find(b"\n", last + 1) + 1 or len(data)


def _token(line: bytes) -> tuple[str, bytes, bytes]:
    if line.startswith(b"["):
        if not line.endswith(b"]"):
            raise MalformedError("a section has no closing bracket")
        return "section", line, b""
    name, colon, value = line.partition(b":")
    if not colon:
        raise MalformedError("a line is neither a section nor a field")
    return "field", name.rstrip(_SPACE).partition(b"\0")[0], value.lstrip(_SPACE).partition(b"\0")[0]


# -- values ------------------------------------------------------------------------------------------------


def number(value: bytes | None) -> int | None:
    """Return the number that an attribute contains, or None if it has another length."""
    return int.from_bytes(value, "little") if value is not None and len(value) == 8 else None


def boolean(value: bytes | None) -> bool | None:
    """Return the boolean that an attribute contains, or None if it has another length."""
    return value != b"\0" if value is not None and len(value) == 1 else None


def _name(name: bytes) -> str:
    """Return the name of an attribute. The file may also have its PKCS #11 number; an empty name counts as zero."""
    text = name.decode("latin-1")
    found = _unsigned(text)
    if found is not None:
        return _NUMBERED.get(found, f"#{found}")
    if text not in _NAMES:
        raise MalformedError("unknown attribute name")
    return text


def _value(text: str) -> bytes:
    """Parse a value in the order of parse_value: constant, string, boolean, number (empty is zero), OID."""
    if text in _CONSTANTS:
        return _CONSTANTS[text].to_bytes(8, "little")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _unescaped(text[1:-1].encode("latin-1"))
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    found = _unsigned(text)
    if found is not None:
        return found.to_bytes(8, "little")
    if _OID.fullmatch(text):
        return _object_id(text)
    raise MalformedError("invalid attribute value")


def _unsigned(text: str) -> int | None:
    """Return the number that strtoul(3) reads: a negative number wraps around, and a number that is too large becomes
    the largest one.
    """
    match = _NUMBER.fullmatch(text or "0")
    if not match:
        return None
    found = _limited(match[2])
    return -found & _LARGEST if match[1] == "-" and found < _LARGEST else found


def _limited(digits: str) -> int:
    """Return the number, or the largest 64-bit number if it is larger. A very long text is not converted, because that
    takes quadratic time.
    """
    return _LARGEST if len(digits) > 20 else min(int(digits), _LARGEST)


def _object_id(text: str) -> bytes:
    """Encode an OID as asn1_object_id_der of libtasn1 does."""
    first, second, *others = (_limited(arc.lstrip("0") or "0") for arc in text.split("."))
    if first > 2 or (first < 2 and second > 39):
        raise MalformedError("invalid OID")
    return encode(OID, b"".join(base128(arc & _LARGEST_ARC) for arc in (first * 40 + second, *others)))


def _unescaped(text: bytes) -> bytes:
    """Decode percent escapes: ``%`` and two hexadecimal digits are one byte (p11_url_decode in common/url.c)."""
    return _ESCAPE.sub(_unescape, text)


def _unescape(escape: re.Match[bytes]) -> bytes:
    digits = escape[1] or b""
    if not _HEX.fullmatch(digits):
        raise MalformedError("a percent sign without two hexadecimal digits")
    return bytes((int(digits, 16),))


def _of_pem(block: bytes) -> Attributes:
    """Return the attributes of a PEM block (on_pem_block). Raises MalformedError unless the text contains exactly one
    block.
    """
    found = list(pem.blocks(block))
    label, contents = found[0] if len(found) == 1 else ("", b"")
    if label == "CERTIFICATE":
        return {"class": _value("certificate"), "certificate-type": _value("x-509"), "value": contents}
    if label == "PUBLIC KEY":
        return {"public-key-info": contents}
    raise MalformedError("a PEM block of an unexpected type")
