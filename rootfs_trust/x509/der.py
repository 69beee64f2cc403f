"""Reading ASN.1 elements the way OpenSSL's decoder reads them, and writing them back as DER.

OpenSSL takes BER where the standards ask for DER: long lengths, indefinite lengths, strings in pieces. What
it takes we take, what it refuses we refuse, its quirks included, since the question is always whether OpenSSL
will find a certificate. Sources: crypto/asn1/asn1_lib.c (ASN1_get_object), tasn_dec.c (asn1_check_tlen,
asn1_d2i_ex_primitive, asn1_collect, asn1_find_end); X.690 for the encoding.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.primitive import (
    BIT_STRING,
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    NOTHING,
    NULL,
    OID,
    SEQUENCE,
    SET,
    check_integer,
    check_oid,
    check_primitive,
    clear_unused_bits,
    tag_name,
)

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
        # An off-by-one of asn1_get_length, present in 3.0.19 and gone in 3.0.22: what one of them refuses is of
        # no use on a device that may have either.
        if end - pos == octets:
            raise MalformedError("an empty last element has a long length, which not every OpenSSL takes")
        length = int.from_bytes(data[pos : pos + octets])
        pos += octets
    if length > _MAX_LENGTH or pos + length > end:
        raise MalformedError("an element is longer than what holds it")
    return tag, constructed, False, pos, pos + length


def _long_tag(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """Read a tag number written in base 128; at least one octet must follow it."""
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


class Reader:
    """A place in the contents of one constructed element; its methods take the next element, or raise.

    ``open`` says that the element is of indefinite length and its end-of-contents octets were not seen yet.
    Readers are made by :meth:`enter` and given back by :meth:`leave`, which checks that nothing is left over.
    """

    __slots__ = ("data", "end", "open", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None, is_open: bool = False) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.open = is_open

    def more(self) -> bool:
        """Whether another element follows; swallows the end-of-contents octets."""
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

    def next_tag(self) -> int:
        """Tag of the next element, NOTHING at the end."""
        if not self.more():
            return NOTHING
        first = self.data[self.pos]
        return first & 0xDF if first & 0x1F != 0x1F else header(self.data, self.pos, self.end)[0]

    def _expect(self, tag: int) -> Header:
        # A first octet other than zero cannot be the end of the contents.
        if (self.pos >= self.end or not self.data[self.pos]) and not self.more():
            raise MalformedError(f"an element is missing: {tag_name(tag)}")
        head = header(self.data, self.pos, self.end)
        if head[0] != tag:
            raise MalformedError(f"{tag_name(head[0])} where {tag_name(tag)} belongs")
        return head

    def enter(self, tag: int = SEQUENCE) -> Reader:
        """Begin to read the constructed element that comes next. End with :meth:`leave`."""
        _, constructed, indefinite, start, self.pos = self._expect(tag)
        if not constructed:
            raise MalformedError(f"{tag_name(tag)} is not constructed")
        return Reader(self.data, start, self.pos, indefinite)

    def enter_list(self, tag: int) -> Reader:
        """Like :meth:`enter`, for SEQUENCE OF and SET OF: OpenSSL does not ask for their constructed bit."""
        _, _, indefinite, start, self.pos = self._expect(tag)
        return Reader(self.data, start, self.pos, indefinite)

    def leave(self, inner: Reader) -> None:
        """Go on behind ``inner``, which must have been read to its end."""
        if inner.more():
            raise MalformedError("more elements than belong there")
        if inner.open:
            raise MalformedError("end-of-contents is missing")
        self.pos = inner.pos

    def value(self, tag: int) -> bytes:
        """Contents of the primitive element ``tag``; pieces of a string are joined (asn1_collect)."""
        pos, data = self.pos, self.data
        if pos + 1 < self.end and data[pos] == tag:  # in one piece; most are short, and quickly read
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
        self.pos = _collect(pieces, Reader(self.data, start, stop, indefinite))
        return b"".join(pieces)

    def oid(self) -> bytes:
        """Contents of an OBJECT IDENTIFIER: no arc may be unfinished or begin with 0x80."""
        return check_oid(self.value(OID))

    def integer(self, tag: int = INTEGER) -> bytes:
        """Contents of an INTEGER in as few octets as possible; longer ones are refused."""
        return check_integer(self.value(tag))

    def bit_string(self, tag: int = BIT_STRING) -> bytes:
        """Contents of a BIT STRING, count of unused bits first, those bits cleared."""
        return clear_unused_bits(self.value(tag))

    def boolean(self) -> bool:
        """A BOOLEAN; every value but 0 is true."""
        contents = self.value(BOOLEAN)
        if len(contents) != 1:
            raise MalformedError("a BOOLEAN is not one octet long")
        return contents != b"\0"

    def any(self) -> bytes:
        """The next element whatever it is, written again as OpenSSL would (ASN1_ANY)."""
        tag, constructed, indefinite, start, stop = header(self.data, self.pos, self.end)
        if tag & 0xC0 or tag in (SEQUENCE, SET):
            if not tag & 0xC0 and not constructed:
                raise MalformedError(f"{tag_name(tag)} is not constructed")
            begin = self.pos
            self.pos = _end_of_indefinite(self.data, start, stop) if indefinite else stop
            return self.data[begin : self.pos]
        return encode(tag, check_primitive(tag, self.value(tag)))


def reread(element: bytes) -> Reader:
    """A reader over one element that was cut out of a larger whole.

    The octets behind stand for what followed it there; without them OpenSSL's off-by-one in ``_long_header``
    would refuse what it took in its place.
    """
    return Reader(element + b"\0\0")


def _collect(pieces: list[bytes], reader: Reader, depth: int = 0) -> int:
    """Gather the pieces of a constructed string, whatever their tags; gives the place behind it."""
    while reader.more():
        _, constructed, indefinite, start, stop = header(reader.data, reader.pos, reader.end)
        if not constructed:
            pieces.append(reader.data[start:stop])
            reader.pos = stop
            continue
        if depth >= _MAX_STRING_NESTING:
            raise MalformedError("a string is nested too deep")
        reader.pos = _collect(pieces, Reader(reader.data, start, stop, indefinite), depth + 1)
    if reader.open:
        raise MalformedError("end-of-contents is missing")
    return reader.pos


def _end_of_indefinite(data: bytes, pos: int, end: int) -> int:
    """Place behind the end-of-contents octets that close the element whose contents begin at ``pos``."""
    awaited = 1
    while awaited:
        if data[pos : min(pos + 2, end)] == b"\0\0":
            pos, awaited = pos + 2, awaited - 1
            continue
        _, _, indefinite, start, stop = header(data, pos, end)
        pos, awaited = (start, awaited + 1) if indefinite else (stop, awaited)
    return pos


def encode(tag: int, contents: bytes) -> bytes:
    """An element in DER: shortest tag and length. SEQUENCE and SET are marked as constructed."""
    first, length = tag | 0x20 if tag in (SEQUENCE, SET) else tag, len(contents)
    if tag > 0xFF:
        return bytes((tag & 0xC0 | 0x1F,)) + _base128(tag >> 8) + encode(0, contents)[1:]
    if length < 0x80:
        return bytes((first, length)) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((first, 0x80 | len(octets))) + octets + contents


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))
