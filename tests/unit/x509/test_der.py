"""Elements: forms of BER that OpenSSL takes and those it refuses."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import (
    BIT_STRING,
    NOTHING,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    UTF8_STRING,
    DerReader,
    encode,
    header,
    tag_name,
)
from rootfs_trust.x509.oids import dotted

from .building import element, long_length


@pytest.mark.parametrize(
    ("identifier", "tag"),
    [
        ("02", 2),
        ("22", 2),
        ("1f02", 2),
        ("9f02", 0x82),
        ("1f1f", 31 << 8),
        ("bf8100", 0x80 | 128 << 8),
        ("df87ffffff7f", 0xC0 | 0x7FFFFFFF << 8),
    ],
)
def test_tags(identifier: str, tag: int) -> None:
    """The constructed bit is not a part of a tag, and a short number written long is the same tag."""
    data = bytes.fromhex(identifier) + b"\1A"
    assert header(data, 0, len(data))[0] == tag


def test_an_empty_element_with_a_long_tag_may_be_the_last() -> None:
    for octets, tag in (("1f0200", 2), ("9f1f00", 0x80 | 31 << 8), ("bf810000", 0x80 | 128 << 8), ("8000", 0x80)):
        data = bytes.fromhex(octets)
        assert header(data, 0, len(data)) == (tag, octets[0] == "b", False, len(data), len(data))
        assert DerReader(data).next_tag() == tag


NO_HEADERS = """
    - 02 0201 1f 1f02 1f81 1f8181818181818101 0280 0281 028100 0282 028201 02820100 0284ffffffff41
    0289010000000000000000 02850000000002
"""


@pytest.mark.parametrize("octets", NO_HEADERS.split())
def test_headers_that_are_refused(octets: str) -> None:
    data = bytes.fromhex(octets.replace("-", ""))
    with pytest.raises(MalformedError):
        header(data, 0, len(data))


@pytest.mark.parametrize("zeros", [0, 1, 5, 120])
def test_lengths_may_be_longer_than_need_be(zeros: int) -> None:
    data = b"\4" + long_length(3, zeros) + b"abc"
    assert DerReader(data).value(OCTET_STRING) == b"abc"


def nested(depth: int) -> bytes:
    inner = element(4, b"abc")
    for _ in range(depth):
        inner = element(0x24, inner)
    return inner


def test_strings_in_pieces() -> None:
    pieces = element(4, b"a") + element(0x0C, b"b") + b"\x24\x80" + element(0x84, b"c") + b"\0\0"
    for data in (element(0x24, pieces), b"\x24\x80" + pieces + b"\0\0"):
        assert DerReader(data).value(OCTET_STRING) == b"abc"
    assert DerReader(nested(6)).value(OCTET_STRING) == b"abc"
    for bad in (nested(7), b"\x24\x80" + pieces, element(0x24, b"\0\0"), element(0x24, b"\x24\x80")):
        with pytest.raises(MalformedError):
            DerReader(bad).value(OCTET_STRING)
    with pytest.raises(MalformedError, match="pieces"):
        DerReader(element(0x26, element(6, b"\x2a"))).oid()


def test_an_element_of_indefinite_length_ends_where_its_end_is() -> None:
    reader = DerReader(b"\x30\x80\x02\x01\x05\0\0\x02\x01\x06")
    body = reader.enter()
    assert body.integer() == b"\5"
    assert body.next_tag() == NOTHING
    reader.leave(body)
    assert reader.integer() == b"\6"
    assert not reader.more()


@pytest.mark.parametrize("octets", ["300402010500", "3080020105", "3006020105020106", "308002010502"])
def test_what_is_left_over_or_missing(octets: str) -> None:
    reader = DerReader(bytes.fromhex(octets))
    body = reader.enter()
    body.integer()
    with pytest.raises(MalformedError):
        reader.leave(body)


def test_sequence_must_be_constructed_and_a_list_need_not() -> None:
    with pytest.raises(MalformedError, match="not constructed"):
        DerReader(b"\x10\0").enter(SEQUENCE)
    assert not DerReader(b"\x11\0").enter_list(SET).more()
    with pytest.raises(MalformedError, match="where SEQUENCE belongs"):
        DerReader(b"\x31\0").enter(SEQUENCE)
    with pytest.raises(MalformedError, match="missing: SEQUENCE"):
        DerReader(b"").enter(SEQUENCE)


@pytest.mark.parametrize(
    ("data", "written"),
    [
        (b"\5\0", b"\5\0"),
        (b"\5\x81\0", b"\5\0"),
        (b"\2\x81\1\5", b"\2\1\5"),
        (b"\3\2\4\xff", b"\3\2\4\xf0"),
        (b"\3\4\4\xaa\xbb\xff", b"\3\4\4\xaa\xbb\xf0"),
        (b"\x1c\4\0\0\0A", b"\x1c\4\0\0\0A"),
        (b"\x1e\6\0A\0B\0C", b"\x1e\6\0A\0B\0C"),
        (b"\x24\3\4\1a", b"\4\1a"),
        (b"\x1f\5\0", b"\5\0"),
        (b"\x1f\x81\x01\1a", b"\x1f\x81\x01\1a"),
        (b"\x30\x81\2\5\0", b"\x30\x81\2\5\0"),
        (b"\x30\x80\x30\x80\2\1\0\0\0\0\0", b"\x30\x80\x30\x80\2\1\0\0\0\0\0"),
        (b"\xa5\x80\5\0\0\0", b"\xa5\x80\5\0\0\0"),
        (b"\x85\x81\1a", b"\x85\x81\1a"),
        (b"\x0c\x81\x80" + b"a" * 128, b"\x0c\x81\x80" + b"a" * 128),
    ],
)
def test_anything_is_written_again(data: bytes, written: bytes) -> None:
    """ASN1_ANY: primitives in DER, what is constructed or not universal as it came."""
    reader = DerReader(data + b"\2\1\1")
    assert reader.any() == written
    assert reader.integer() == b"\1"


@pytest.mark.parametrize(
    "octets", ["0501", "050100", "0100", "010200ff", "0200", "02020001", "0600", "1e0100", "1c0100"]
)
def test_anything_is_checked_by_its_type(octets: str) -> None:
    with pytest.raises(MalformedError):
        DerReader(bytes.fromhex(octets)).any()


@pytest.mark.parametrize("octets", ["1000", "1100", "308002010000", "3080020100", ""])
def test_anything_constructed_must_be_so_and_end(octets: str) -> None:
    with pytest.raises(MalformedError):
        DerReader(bytes.fromhex(octets)).any()


def test_encoding() -> None:
    assert encode(SEQUENCE, b"") == b"\x30\0"
    assert encode(UTF8_STRING, b"a" * 200)[:3] == b"\x0c\x81\xc8"
    assert encode(BIT_STRING, b"a" * 70000)[:5] == b"\3\x83\1\x11\x70"
    assert encode(0x80 | 128 << 8, b"") == b"\x9f\x81\0\0"


def test_names_of_tags() -> None:
    assert [tag_name(tag) for tag in (OID, 12, 0x83, 0x41, 0xC0 | 99 << 8, NOTHING)] == [
        "OBJECT IDENTIFIER",
        "universal tag 12",
        "context tag 3",
        "application tag 1",
        "private tag 99",
        "nothing",
    ]


def test_dotted_form() -> None:
    assert dotted(bytes.fromhex("2a864886f70d010101")) == "1.2.840.113549.1.1.1"
    assert dotted(bytes.fromhex("883703")) == "2.999.3"
    assert dotted(b"\0") == "0.0"
    assert [dotted(bytes((first,))) for first in (39, 40, 79, 80, 119)] == ["0.39", "1.0", "1.39", "2.0", "2.39"]
    assert dotted(b"\x2a\x81\x80\1") == "1.2.16385"
    assert dotted(b"\x2a" + b"\1" * 127).endswith(".1.1")
    assert dotted(b"\x2a" + b"\1" * 128).startswith("#2a01")
    assert dotted(b"\xff" * 200 + b"\1").startswith("#ffff")
    assert dotted(b"\xff") == "#ff"
