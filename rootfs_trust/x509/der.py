"""Parse ASN.1 elements the way OpenSSL does, and encode them as DER.

OpenSSL accepts BER where the standards require DER: long lengths, indefinite lengths, strings in pieces. This module
accepts and refuses the same input, including OpenSSL's quirks, because the question is always whether OpenSSL will find
a certificate. Sources: crypto/asn1/asn1_lib.c (ASN1_get_object), tasn_dec.c (asn1_check_tlen,
asn1_d2i_ex_primitive, asn1_collect, asn1_find_end); X.690 for the encoding.

A *tag* is the identifier byte without its "constructed" bit: 0x02 INTEGER, 0x80 context tag [0]. Tag numbers from 31 on
are shifted left by eight, so that they differ from short ones. The checks of primitive contents are those
of asn1_ex_c2i (tasn_dec.c), a_int.c, a_bitstr.c and a_object.c.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 1, 2, 3, 4, 5, 6, 10
UTF8_STRING, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 12, 16, 17, 23, 24
UNIVERSAL_STRING, BMP_STRING = 28, 30
NOTHING = -1  # returned instead of a tag if no element follows

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
    """Check and return the contents of an OBJECT IDENTIFIER (c2i_ASN1_OBJECT)."""
    if not contents or contents[-1] >= 0x80:
        raise MalformedError("an OBJECT IDENTIFIER is unfinished")
    at = contents.find(0x80)
    while at >= 0:
        if at == 0 or contents[at - 1] < 0x80:
            raise MalformedError("an arc of an OBJECT IDENTIFIER begins with zero bits")
        at = contents.find(0x80, at + 1)
    return contents


def check_integer(contents: bytes) -> bytes:
    """Check and return the contents of an INTEGER (c2i_ibuf)."""
    if not contents:
        raise MalformedError("an INTEGER is empty")
    if len(contents) > 1 and contents[0] in (0, 0xFF) and (contents[0] ^ contents[1]) < 0x80:
        raise MalformedError("an INTEGER is longer than necessary")
    return contents


def clear_unused_bits(contents: bytes) -> bytes:
    """Return the contents of a BIT STRING with the unused bits of its last byte cleared (c2i_ASN1_BIT_STRING)."""
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
    """Check and return the contents of a universal element by the rules of its type (asn1_ex_c2i)."""
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
    """Return the name of a tag."""
    number = tag >> 8 or tag & 0x1F
    kind = ("universal tag", "application tag", "context tag", "private tag")[(tag & 0xC0) >> 6]
    return _NAMES.get(tag, f"{kind} {number}")


_NEVER_IN_PIECES = frozenset((NULL, BOOLEAN, OID, INTEGER, ENUMERATED))
_MAX_STRING_NESTING = 5  # ASN1_MAX_STRING_NEST
_MAX_TAG_NUMBER = 0x7FFFFFFF
_MAX_LENGTH = 0x7FFFFFFFFFFFFFFF

# tag, whether constructed, whether of indefinite length, first byte of the contents, byte after the contents
# (of indefinite length: the end of what surrounds the element).
Header = tuple[int, bool, bool, int, int]


def header(data: bytes, pos: int, end: int) -> Header:
    """Read identifier and length at ``pos`` of an element that must end by ``end`` (ASN1_get_object)."""
    if end - pos < 2:
        raise MalformedError("an element is cut short")
    first, length, start = data[pos], data[pos + 1], pos + 2
    if length == 0x82 and pos + 4 < end and first & 0x1F != 0x1F:
        length, start = data[pos + 2] << 8 | data[pos + 3], pos + 4
    elif length >= 0x80 or first & 0x1F == 0x1F:
        return _long_header(data, pos, end)
    stop = start + length
    if stop > end:
        raise MalformedError("an element is longer than what holds it")
    return first & 0xDF, first & 0x20 != 0, False, start, stop


def _long_header(data: bytes, pos: int, end: int) -> Header:
    first = data[pos]
    tag, pos = (first & 0xDF, pos + 1) if first & 0x1F != 0x1F else _long_tag(data, pos, end)
    constructed = first & 0x20 != 0
    length = data[pos]
    if length == 0x80:
        if not constructed:
            raise MalformedError("indefinite length of a primitive element")
        return tag, True, True, pos + 1, end
    pos += 1
    if length > 0x80:
        octets = length & 0x7F
        if end - pos < octets:
            raise MalformedError("a length is cut short")
        # An off-by-one error of asn1_get_length, in 3.0.19 but not in 3.0.22. A device may have either version, so
        # refuse input that one of them refuses.
        if end - pos == octets:
            raise MalformedError("an empty last element has a long length, which some versions of OpenSSL refuse")
        length = int.from_bytes(data[pos : pos + octets])
        pos += octets
    if length > _MAX_LENGTH or pos + length > end:
        raise MalformedError("an element is longer than what holds it")
    return tag, constructed, False, pos, pos + length


def _long_tag(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """Read a tag number in base 128. At least one byte must follow it."""
    tag_class, number = data[pos] & 0xC0, 0
    pos += 1
    while True:
        if pos + 1 >= end:
            raise MalformedError("a tag is cut short")
        octet = data[pos]
        pos += 1
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            break
        if number > _MAX_TAG_NUMBER >> 7:
            raise MalformedError("a tag number is too large")
    return tag_class | (number << 8 if number > 30 else number), pos


class DerReader:
    """A position in the contents of one constructed element. Its methods take the next element, or raise.

    ``open`` says that the element has indefinite length and its end-of-contents bytes were not reached yet.
    :meth:`enter` creates a reader; :meth:`leave` ends it and checks that nothing is left over.
    """

    __slots__ = ("data", "end", "open", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None, is_open: bool = False) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.open = is_open

    def more(self) -> bool:
        """Return whether another element follows. Consumes the end-of-contents bytes."""
        pos, data = self.pos, self.data
        if pos >= self.end:
            return False
        if data[pos] or self.end - pos < 2 or data[pos + 1]:
            return True
        if not self.open:
            raise MalformedError("end-of-contents where none belongs")
        self.open = False
        self.pos = self.end = pos + 2
        return False

    def skip(self, element: bytes) -> bool:
        """If the next bytes are the whole element ``element``, skip it. Return whether it was skipped."""
        found = self.data.startswith(element, self.pos, self.end)
        if found:
            self.pos += len(element)
        return found

    def next_tag(self) -> int:
        """Return the tag of the next element, or NOTHING at the end."""
        if not self.more():
            return NOTHING
        first = self.data[self.pos]
        return first & 0xDF if first & 0x1F != 0x1F else header(self.data, self.pos, self.end)[0]

    def _expect(self, tag: int) -> Header:
        # A first byte other than zero cannot be the end of the contents.
        if (self.pos >= self.end or not self.data[self.pos]) and not self.more():
            raise MalformedError(f"an element is missing: {tag_name(tag)}")
        head = header(self.data, self.pos, self.end)
        if head[0] != tag:
            raise MalformedError(f"{tag_name(head[0])} where {tag_name(tag)} belongs")
        return head

    def enter(self, tag: int = SEQUENCE) -> DerReader:
        """Begin to read the next element, which must be constructed. End with :meth:`leave`."""
        _, constructed, indefinite, start, self.pos = self._expect(tag)
        if not constructed:
            raise MalformedError(f"{tag_name(tag)} is not constructed")
        return DerReader(self.data, start, self.pos, indefinite)

    def enter_list(self, tag: int) -> DerReader:
        """Like :meth:`enter`, for SEQUENCE OF and SET OF, whose constructed bit OpenSSL does not check."""
        _, _, indefinite, start, self.pos = self._expect(tag)
        return DerReader(self.data, start, self.pos, indefinite)

    def leave(self, inner: DerReader) -> None:
        """Continue after ``inner``, which must have been read to its end."""
        if inner.more():
            raise MalformedError("more elements than expected")
        if inner.open:
            raise MalformedError("end-of-contents is missing")
        self.pos = inner.pos

    def value(self, tag: int) -> bytes:
        """Take the primitive element ``tag`` and return its contents. Pieces of a string are joined (asn1_collect)."""
        pos, data = self.pos, self.data
        if pos + 1 < self.end and data[pos] == tag:  # fast path for values in one piece, which most are
            stop = pos + 2 + data[pos + 1]
            if data[pos + 1] < 0x80 and stop <= self.end:
                self.pos = stop
                return data[pos + 2 : stop]
        _, constructed, indefinite, start, stop = self._expect(tag)
        if not constructed:
            self.pos = stop
            return self.data[start:stop]
        if tag in _NEVER_IN_PIECES:
            raise MalformedError(f"{tag_name(tag)} in pieces")
        pieces: list[bytes] = []
        self.pos = _collect(pieces, DerReader(self.data, start, stop, indefinite))
        return b"".join(pieces)

    def oid(self) -> bytes:
        """Take an OBJECT IDENTIFIER. Raises MalformedError if an arc is unfinished or begins with 0x80."""
        return check_oid(self.value(OID))

    def integer(self, tag: int = INTEGER) -> bytes:
        """Take an INTEGER. It must use as few bytes as possible."""
        return check_integer(self.value(tag))

    def bit_string(self, tag: int = BIT_STRING) -> bytes:
        """Take a BIT STRING. The result begins with the number of unused bits, which are cleared."""
        return clear_unused_bits(self.value(tag))

    def boolean(self) -> bool:
        """Take a BOOLEAN. Every value except 0 is true."""
        contents = self.value(BOOLEAN)
        if len(contents) != 1:
            raise MalformedError("a BOOLEAN is not one byte long")
        return contents != b"\0"

    def any(self) -> bytes:
        """Take the next element of any type, encoded again as OpenSSL would (ASN1_ANY)."""
        tag, constructed, indefinite, start, stop = header(self.data, self.pos, self.end)
        if tag & 0xC0 or tag in (SEQUENCE, SET):
            if not tag & 0xC0 and not constructed:
                raise MalformedError(f"{tag_name(tag)} is not constructed")
            begin = self.pos
            self.pos = _end_of_indefinite(self.data, start, stop) if indefinite else stop
            return self.data[begin : self.pos]
        return encode(tag, check_primitive(tag, self.value(tag)))


def reader_for_element(element: bytes) -> DerReader:
    """Return a reader over one element that was cut out of a larger one.

    It adds bytes after the element. Without these bytes, OpenSSL's off-by-one error in ``_long_header`` would make it
    refuse an element that it accepts in the original place.
    """
    return DerReader(element + b"\0\0")


def _collect(pieces: list[bytes], reader: DerReader, depth: int = 0) -> int:
    """Collect the pieces of a constructed string, with any tags; return the position after it."""
    while reader.more():
        _, constructed, indefinite, start, stop = header(reader.data, reader.pos, reader.end)
        if not constructed:
            pieces.append(reader.data[start:stop])
            reader.pos = stop
            continue
        if depth >= _MAX_STRING_NESTING:
            raise MalformedError("a string is nested too deeply")
        reader.pos = _collect(pieces, DerReader(reader.data, start, stop, indefinite), depth + 1)
    if reader.open:
        raise MalformedError("end-of-contents is missing")
    return reader.pos


def _end_of_indefinite(data: bytes, pos: int, end: int) -> int:
    """Find the end of an element of indefinite length whose contents begin at ``pos``. Return the position after its
    end-of-contents bytes.
    """
    awaited = 1
    while awaited:
        if data[pos : min(pos + 2, end)] == b"\0\0":
            pos, awaited = pos + 2, awaited - 1
            continue
        _, _, indefinite, start, stop = header(data, pos, end)
        pos, awaited = (start, awaited + 1) if indefinite else (stop, awaited)
    return pos


def encode(tag: int, contents: bytes) -> bytes:
    """Encode an element in DER, with the shortest tag and length. SEQUENCE and SET are constructed."""
    first, length = tag | 0x20 if tag in (SEQUENCE, SET) else tag, len(contents)
    if tag > 0xFF:
        return bytes((tag & 0xC0 | 0x1F,)) + base128(tag >> 8) + encode(0, contents)[1:]
    if length < 0x80:
        return bytes((first, length)) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((first, 0x80 | len(octets))) + octets + contents


def base128(number: int) -> bytes:
    """Encode ``number`` in base 128, as in long tags and object identifiers."""
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))
