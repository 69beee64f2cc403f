"""Tags, and what OpenSSL asks of the contents of primitive elements.

A *tag* is the identifier octet without its "constructed" bit: 0x02 INTEGER, 0x80 context tag [0]. Tag numbers
from 31 on are shifted left by eight, so that they never meet a short one.
Sources: asn1_ex_c2i in crypto/asn1/tasn_dec.c, a_int.c, a_bitstr.c, a_object.c.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 1, 2, 3, 4, 5, 6, 10
UTF8_STRING, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 12, 16, 17, 23, 24
UNIVERSAL_STRING, BMP_STRING = 28, 30
NOTHING = -1  # stands for the tag where no element follows

_NAMES = {
    NOTHING: "nothing",
    BOOLEAN: "BOOLEAN",
    INTEGER: "INTEGER",
    BIT_STRING: "BIT STRING",
    OCTET_STRING: "OCTET STRING",
    NULL: "NULL",
    OID: "OBJECT IDENTIFIER",
    SEQUENCE: "SEQUENCE",
    SET: "SET",
}


def check_oid(contents: bytes) -> bytes:
    """Contents of an OBJECT IDENTIFIER as they came, or an error (c2i_ASN1_OBJECT)."""
    if not contents or contents[-1] >= 0x80:
        raise MalformedError("an OBJECT IDENTIFIER is unfinished")
    at = contents.find(0x80)
    while at >= 0:
        if at == 0 or contents[at - 1] < 0x80:
            raise MalformedError("an arc of an OBJECT IDENTIFIER begins with zero bits")
        at = contents.find(0x80, at + 1)
    return contents


def check_integer(contents: bytes) -> bytes:
    """Contents of an INTEGER as they came, or an error (c2i_ibuf)."""
    if not contents:
        raise MalformedError("an INTEGER is empty")
    if len(contents) > 1 and contents[0] in (0, 0xFF) and (contents[0] ^ contents[1]) < 0x80:
        raise MalformedError("an INTEGER is longer than it need be")
    return contents


def clear_unused_bits(contents: bytes) -> bytes:
    """Contents of a BIT STRING with the unused bits of its last octet cleared (c2i_ASN1_BIT_STRING)."""
    if not contents:
        raise MalformedError("a BIT STRING is empty")
    unused = contents[0]
    if unused == 0:
        return contents
    if unused > 7:
        raise MalformedError("a BIT STRING has more than seven unused bits")
    if len(contents) == 1:
        return b"\0"
    return contents[:-1] + bytes((contents[-1] & 0xFF << unused,))


def check_primitive(tag: int, contents: bytes) -> bytes:
    """Contents of a universal element, checked as its type asks (asn1_ex_c2i)."""
    if tag == OID:
        return check_oid(contents)
    if tag in (INTEGER, ENUMERATED):
        return check_integer(contents)
    if tag == BIT_STRING:
        return clear_unused_bits(contents)
    wrong_length = (
        (tag == NULL and contents)
        or (tag == BOOLEAN and len(contents) != 1)
        or (tag == BMP_STRING and len(contents) % 2)
        or (tag == UNIVERSAL_STRING and len(contents) % 4)
    )
    if wrong_length:
        raise MalformedError(f"{tag_name(tag)} of a wrong length")
    return contents


def tag_name(tag: int) -> str:
    """A tag as people know it."""
    number = tag >> 8 or tag & 0x1F
    kind = ("universal tag", "application tag", "context tag", "private tag")[(tag & 0xC0) >> 6]
    return _NAMES.get(tag, f"{kind} {number}")
