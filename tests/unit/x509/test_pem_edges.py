"""PEM at the edges of OpenSSL's buffer and of the short way, and what one file holds besides certificates."""

from __future__ import annotations

import pytest

from rootfs_trust.x509 import (
    BadBlock,
    Block,
    blocks,
    encode,
    pem,
    private_key_form,
    read_objects,
    unrecognized_begin_lines,
)

from .building import certificate, crl, element, name, utf8

DER = certificate(name(utf8("Root")))
PEM = encode(DER)
GOOD = Block("CERTIFICATE", DER, 1)
LONGEST = 254  # octets of a line that pem_lib.c reads at once
KEY = element(0x30, element(2, b"\0"), element(0x30, element(6, b"\x2a")), element(4, b"key"))


def slowly(data: bytes) -> list[Block | BadBlock]:
    """Line by line, the way that gives the rules."""
    return list(pem._odd_blocks(pem._Lines(data, 0, 1)))


@pytest.mark.parametrize(
    "data",
    [
        PEM,
        PEM * 3,
        b"# a comment\n" + PEM + b"\n# another\n\n" + PEM,
        b"x" * (LONGEST - 1) + b"\n" + PEM,
        encode(b"A" * 48) + encode(b"A" * 47) + encode(b"A" * 49),
        encode(DER, "X509 CRL") + encode(DER, "A" * 99),
    ],
)
def test_files_as_everybody_writes_them_are_read_the_short_way(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = slowly(data)
    monkeypatch.delattr(pem, "_odd_blocks")
    assert blocks(data) == wanted
    assert len(wanted) == data.count(b"-----BEGIN")


@pytest.mark.parametrize(
    "data",
    [
        PEM.replace(b"\n", b"\r\n"),
        b"x" * LONGEST + b"\n" + PEM,
        b"x" * (LONGEST + 1) + b"\n" + PEM,
        b"\0\n" + PEM,
        b"x" + PEM,
        PEM + b"x" * LONGEST + b"\n" + PEM,
        PEM + b"x" + PEM,
        PEM + b"\n\0\n" + PEM,
        PEM[:40] + b"\n" + PEM[40:],
        PEM.replace(b"-----\n", b"----- \n", 1),
        PEM.replace(b"-----\n", b"-----x\n", 1),
        PEM.replace(b"END CERTIFICATE", b"END CERTIFICATE "),
        PEM.replace(b"CERTIFICATE", b"CERT-IFICATE"),
        encode(DER, "A" * 300) + PEM,
        encode(b"") + PEM,
        PEM[: PEM.rindex(b"\n", 0, -1)] + b"\n" + PEM,
        PEM[:-1],
        PEM + PEM[:-5],
    ],
)
def test_both_ways_of_reading_agree_on_odd_files(data: bytes) -> None:
    assert blocks(data) == slowly(data)


def test_the_lines_of_blocks_are_counted_from_one() -> None:
    height = PEM.count(b"\n")
    text = b"# one\n# two\n"
    odd = PEM.replace(b"-----\n", b"----- \n", 1)
    for second in (PEM, odd):
        assert [block.line for block in blocks(text + PEM + text + second)] == [3, height + 5]
    assert [block.line for block in blocks(b"\xef\xbb\xbf\n" + odd * 2)] == [2, height + 2]


def test_a_byte_order_mark_alone_is_text() -> None:
    assert blocks(b"\xef\xbb\xbf" + PEM) == [GOOD]
    assert blocks(b"\xef\xbb\xbf\n" + PEM) == [GOOD._replace(line=2)]
    assert blocks(PEM + b"\xef\xbb\xbf") == [GOOD]


@pytest.mark.parametrize("size", [252, 254, 256, 508, 512])
def test_the_newline_after_a_piece_of_a_long_line_is_not_an_empty_line(size: int) -> None:
    """A line of the buffer's very size comes as a piece, and its newline as another."""
    lines = b"A" * size + b"\n" + b"A" * (-size % 4 + 4) + b"\n"
    assert blocks(b"-----BEGIN X-----\n" + lines + b"-----END X-----\n") == [
        Block("X", b"\0" * (len(lines) // 4 * 3), 1)
    ]


def test_an_empty_line_behind_a_whole_line_begins_the_body() -> None:
    (found,) = blocks(b"-----BEGIN X-----\na: b\n\nAAAA\n-----END X-----\n")
    assert found == Block("X", b"\0\0\0", 1, b"a: b")
    (found,) = blocks(b"-----BEGIN X-----\nab\ncd: e\nfg\n\nAAAA\n-----END X-----\n")
    assert found == Block("X", b"\0\0\0", 1, b"ab\ncd: e\nfg")


def test_a_header_without_a_body_is_a_bad_block() -> None:
    """get_header_and_data: a colon anywhere makes all that stands there a header."""
    (found,) = blocks(b"-----BEGIN X-----\na: b\nAAAA\n-----END X-----\n")
    assert isinstance(found, BadBlock)
    assert "empty" in found.reason


def test_a_colon_after_the_empty_line_is_not_a_header() -> None:
    (found,) = blocks(b"-----BEGIN X-----\n\n:AAA\n-----END X-----\n")
    assert isinstance(found, BadBlock)
    assert "not base64" in found.reason


def test_what_is_overlooked_has_its_line_and_its_label() -> None:
    data = PEM + b" -----BEGIN ONE-----\n\n\t-----BEGIN TWO----- ----- -----BEGIN THREE-----\n" + PEM
    height = PEM.count(b"\n")
    found = [(each.line, each.label) for each in unrecognized_begin_lines(data)]
    assert found == [(height + 1, "ONE"), (height + 3, "TWO"), (height + 3, "THREE")]
    twice = b"-----BEGIN CERTIFICATE-----BEGIN X-----\nAAAA\n"
    assert [each.line for each in unrecognized_begin_lines(PEM + twice)] == [height + 1]
    assert [each.label for each in unrecognized_begin_lines(b" -----BEGIN A-----")] == ["A"]
    assert len(unrecognized_begin_lines(b" -----BEGIN " + b"A" * 1000)[0].label) < LONGEST


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"BEGIN PRIVATE KEY", False),
        (b"-BEGIN PRIVATE KEY", False),
        (b"--BEGIN PRIVATE KEY", True),
        (b"--xBEGIN PRIVATE KEY", True),
        (b"-- BEGIN PRIVATE KEY", True),
        (b"---BEGIN PRIVATE KEY", True),
        (b"--  BEGIN PRIVATE KEY", False),
        (b"-----BEGIN X-----\n-----BEGIN PRIVATE KEY-----", True),
        (b"-----BEGIN BEGIN PRIVATE KEY-----", True),
        (b"-----BEGIN PRIVATE KEY-----\n" + PEM, True),
        (b"-----begin private key-----", True),
        (b"-----BEGIN " + b"x" * 63 + b"PRIVATE KEY", True),
        (b"-----BEGIN " + b"x" * 64 + b"PRIVATE KEY", False),
    ],
)
def test_where_the_words_of_a_key_must_stand(data: bytes, key: bool) -> None:
    assert private_key_form(data) == ("PEM" if key else "")


def test_bytes_after_a_certificate_make_it_unusable_unless_they_are_trust_settings() -> None:
    """PEM_X509_INFO_read_bio reads settings behind each certificate, `openssl rehash` does not."""
    settings = element(0x30, element(0x0C, b"me"))
    objects = read_objects(PEM + encode(DER + b"junk") + encode(DER + settings))
    assert [found.der for _, found in objects.certificates] == [DER] * 3
    assert objects.spoilt == (PEM.count(b"\n") + 1,)
    assert read_objects(PEM).spoilt == ()


def test_objects_have_the_lines_of_their_blocks() -> None:
    revoked = crl(name(utf8("Root")))
    height = PEM.count(b"\n")
    objects = read_objects(PEM + encode(b"junk") + encode(revoked + b"\0", "X509 CRL") + encode(KEY, "PRIVATE KEY"))
    assert [line for line, _ in objects.certificates] == [1]
    assert [(bad.label, bad.line) for bad in objects.bad] == [("CERTIFICATE", height + 1)]
    assert [(line, found.der) for line, found in objects.crls] == [(height + 4, revoked)]
    assert [label for _, label in objects.keys] == ["PRIVATE KEY"]
    assert pem.encode(DER) == pem.encode(DER, "CERTIFICATE")
    assert PEM.startswith(b"-----BEGIN CERTIFICATE-----\n")
