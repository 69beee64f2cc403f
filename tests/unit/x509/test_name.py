"""Names: one rule a test, each with the bytes that show it."""

from __future__ import annotations

from hashlib import md5, sha1

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import Name

from .building import attribute, element, long_length, name, utf8


def value(identifier: int, contents: bytes) -> Name:
    return Name(name(element(identifier, contents)))


def test_hashes_are_the_first_four_bytes_of_a_digest_reversed() -> None:
    raw = name(utf8("Example"))
    canonical = element(0x31, attribute(utf8("example")))
    assert Name(raw).canonical == canonical
    assert bytes.fromhex(Name(raw).hash)[::-1] == sha1(canonical).digest()[:4]
    assert bytes.fromhex(Name(raw).hash_old)[::-1] == md5(raw).digest()[:4]


@pytest.mark.parametrize("raw", [b"\x30\0", b"\x30\2\x31\0", b"\x30\x81\0", b"\x30\x80\0\0", b"\x10\0"])
def test_empty_names_and_empty_sets_hash_nothing(raw: bytes) -> None:
    assert Name(raw).hash == "eea339da"
    assert Name(raw).text == ""


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  A \t\n\v\f\r b  ", "a b"),
        ("É\u00a0 İ Я\u0085", "É\u00a0 İ Я\u0085"),
        ("\x1c a\x1f", "\x1c a\x1f"),
        ("a\0B", "a\0b"),
        (" \t ", ""),
    ],
)
def test_only_ascii_is_folded(text: str, folded: str) -> None:
    assert value(0x0C, text.encode()).canonical == element(0x31, attribute(utf8(folded)))


@pytest.mark.parametrize(
    ("identifier", "contents"),
    [(0x0C, "Zoë".encode()), (0x14, b"Zo\xeb"), (0x16, b"Zo\xeb"), (0x1E, b"\0Z\0o\0\xeb"), (0x13, b"Zo\xeb")],
)
def test_text_of_every_type_becomes_utf8(identifier: int, contents: bytes) -> None:
    assert value(identifier, contents) == value(0x0C, "zoë".encode())


@pytest.mark.parametrize("tag", [7, 8, 9, 11, 13, 14, 15, 18, 29])
def test_other_types_are_kept_as_they_are(tag: int) -> None:
    assert value(tag, b" A ").canonical == element(0x31, attribute(element(tag, b" A ")))


def test_unused_bits_are_cleared_and_sequences_are_copied() -> None:
    assert value(0x03, b"\4\xff") == value(0x03, b"\4\xf0")
    assert value(0x30, b"\x02\x81\x01\x05") != value(0x30, b"\x02\x01\x05")


@pytest.mark.parametrize("tag", [0, 1, 2, 4, 5, 6, 10, 17, 21, 23, 24, 25, 26, 27, 0x80, 0x40, 0xC1])
def test_types_that_openssl_does_not_take(tag: int) -> None:
    with pytest.raises(MalformedError):
        value(tag, b"\1")


@pytest.mark.parametrize(
    ("identifier", "contents"),
    [
        (0x0C, b"\xff"),
        (0x0C, b"\xc0\x80"),
        (0x0C, b"\xed\xa0\x80"),
        (0x0C, b"\xf4\x90\x80\x80"),
        (0x1E, b"\0"),
        (0x1E, b"\xd8\0\xdc\0"),
        (0x1E, b"\xd8\0"),
        (0x1C, b"\0\0\0"),
        (0x1C, b"\0\x11\0\0"),
        (0x03, b""),
        (0x03, b"\x08\0"),
    ],
)
def test_text_that_is_not_what_its_type_says(identifier: int, contents: bytes) -> None:
    with pytest.raises(MalformedError):
        value(identifier, contents)


@pytest.mark.parametrize("contents", [b"", b"\x80\x01", b"\x55\x80\x01", b"\x55\x84"])
def test_bad_object_identifiers(contents: bytes) -> None:
    with pytest.raises(MalformedError):
        Name(element(0x30, element(0x31, attribute(utf8("x"), element(0x06, contents)))))


def test_ber_is_written_again_for_the_new_hash_only() -> None:
    plain = name(utf8("ab"))
    inner = element(0x31, attribute(b"\x2c\x80\x04\x01a\x0c\x01b\0\0"))
    ber = b"\x30" + long_length(len(inner), 2) + inner
    assert Name(ber) == Name(plain)
    assert Name(ber).hash_old != Name(plain).hash_old


def test_elements_of_a_set_are_sorted_after_folding() -> None:
    parts = attribute(utf8("b")), attribute(utf8("A"))
    one, other = (Name(element(0x30, element(0x31, *order))) for order in (parts, parts[::-1]))
    assert one == other
    assert hash(one) == hash(other)
    assert one.hash_old != other.hash_old
    assert one != Name(element(0x30, element(0x31, parts[0]), element(0x31, parts[1])))


def test_what_does_not_end_with_the_name() -> None:
    for raw in (name(utf8("a")) + b"\0", name(utf8("a"))[:-1], b"", b"\x30\x80", b"\x30\2\x31\x80"):
        with pytest.raises(MalformedError):
            Name(raw)
    attribute_of_three = element(0x30, bytes.fromhex("0603550403"), utf8("a"), utf8("b"))
    with pytest.raises(MalformedError):
        Name(element(0x30, element(0x31, attribute_of_three)))


def test_a_name_may_be_a_megabyte_long_and_no_longer() -> None:
    for size, fits in ((2**20 - 30, True), (2**20, False)):
        raw = name(element(0x0C, b"a" * size))
        if fits:
            assert Name(raw).common_name == "a" * size
        else:
            with pytest.raises(MalformedError, match="megabyte"):
                Name(raw)


def test_text_for_people() -> None:
    organization = attribute(utf8("Acme, Inc."), bytes.fromhex("060355040a"))
    unknown = attribute(element(0x30, b""), bytes.fromhex("06022a03"))
    raw = element(0x30, element(0x31, organization, unknown), element(0x31, attribute(utf8("#1 \x1b "))))
    assert Name(raw).text == "CN=\\#1 \\1b\\ ,O=Acme\\, Inc.+1.2.3=#3000"
    assert Name(raw).common_name == "#1 \x1b "
    assert Name(raw).organization == "Acme, Inc."
    assert Name(b"\x30\0").common_name is None
    assert "Acme" in repr(Name(raw))


def test_text_escapes_what_rfc_4514_escapes() -> None:
    """Section 2.4: a space or # at the beginning, a space at the end, and the special characters anywhere."""
    for text, shown in (
        (" ", "\\ "),
        ("  ", "\\ \\ "),
        (" a", "\\ a"),
        ("a ", "a\\ "),
        ("a#b c", "a#b c"),
        ("X", "X"),
        ('",+;<>\\', '\\"\\,\\+\\;\\<\\>\\\\'),
        ("\u20ac\u200b", "\u20ac\\e2\\80\\8b"),
    ):
        assert Name(name(utf8(text))).text == f"CN={shown}"


def test_values_that_are_not_text_are_shown_in_hexadecimal() -> None:
    assert value(0x03, b"\0\xff").text == "CN=#030200ff"
    assert value(0x30, element(0x0C, b"A")).text == "CN=#30030c0141"


def test_a_set_of_names_tells_them_apart_by_their_canonical_form() -> None:
    assert len({value(0x0C, b"A"), value(0x13, b" a "), value(0x0C, b"B")}) == 2
    assert hash(value(0x0C, b"A")) != hash(value(0x0C, b"B"))
    assert value(0x0C, b"A") != "A"
