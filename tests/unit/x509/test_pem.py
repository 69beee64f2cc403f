"""PEM: what OpenSSL reads, stumbles over and overlooks; and what one file holds."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rootfs_trust.x509 import (
    BadBlock,
    Block,
    blocks,
    encode,
    looks_like_pkcs7,
    looks_like_pkcs12,
    private_key_form,
    read_objects,
    unrecognized_begin_lines,
)
from rootfs_trust.x509.pem_objects import looks_like_private_key_der

from .building import certificate, crl, element, name, utf8

DER = certificate(name(utf8("Root")))
PEM = encode(DER)
BODY = PEM.split(b"\n", 1)[1].rsplit(b"\n", 2)[0]
GOOD = [Block("CERTIFICATE", DER, 1)]


def framed(body: bytes, begin: bytes = b"-----BEGIN X-----\n", end: bytes = b"-----END X-----\n") -> bytes:
    return begin + body + end


def test_encoding_has_lines_of_64() -> None:
    lines = PEM.splitlines()
    assert lines[0] == b"-----BEGIN CERTIFICATE-----"
    assert {len(line) for line in lines[1:-2]} == {64}
    assert PEM.endswith(b"\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize(
    "data",
    [
        PEM,
        PEM[:-1],
        b"\xef\xbb\xbf" + PEM,
        PEM.replace(b"\n", b"\r\n"),
        PEM.replace(b"-----\n", b"----- \t\x01\xa0\n"),
        b"-----BEGIN CERTIFICATE-----\n" + BODY.replace(b"\n", b"") + b"\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n" + BODY.replace(b"\n", b"\n  ") + b"\n-----END CERTIFICATE-----\n",
        PEM.replace(b"-----\n", b"-----\n\n", 1),
        PEM + b"text behind",
        PEM.replace(b"\n-----END", b"\n-junk\n-----END"),
    ],
)
def test_forms_that_openssl_takes(data: bytes) -> None:
    assert blocks(data) == GOOD


def test_text_in_front_moves_the_line() -> None:
    assert blocks(b"text\n\n" + PEM) == [Block("CERTIFICATE", DER, 3)]
    assert [block.line for block in blocks(PEM + b"# next\n" + PEM)] == [1, PEM.count(b"\n") + 2]
    assert blocks(b"x" * 254 + PEM) == GOOD


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (framed(b""), "empty"),
        (framed(b"AAAA\n\n"), "empty"),
        (framed(b"A" * 64 + b"\n\n"), "empty"),
        (framed(b"A" * 62 + b"==\n\n"), "empty"),
        (framed(b"AAA\n"), "truncated"),
        (framed(b"AAAA====\n"), "truncated"),
        (framed(b"A=AA\n"), "not base64"),
        (framed(b"AA==AAAA\n"), "not base64"),
        (framed(b"AA\xa0A\n"), "not base64"),
        (framed(b"AAAA\n", end=b"-----END Y-----\n"), "END line"),
        (framed(b"AAAA\n", end=b"-----END X----------BEGIN X-----\n"), "END line"),
        (framed(b"AAAA\n", end=b""), "missing"),
        (framed(b"AAAA\n\0\n"), "missing"),
        (framed(b"\n\nAAAA\n"), "an empty line"),
        (framed(b"\n" + b"A" * 68 + b"\n"), "64 characters"),
        (framed(b"\nAAAA\nAAAA\n"), "64 characters"),
    ],
)
def test_blocks_that_openssl_cannot_parse(data: bytes, reason: str) -> None:
    (bad,) = blocks(data)
    assert isinstance(bad, BadBlock)
    assert (bad.label, bad.line) == ("X", 1)
    assert reason in bad.reason


def test_parsing_continues_after_a_malformed_block() -> None:
    found = blocks(framed(b"?\n") + PEM)
    assert [type(block) for block in found] == [BadBlock, Block]
    assert found[1].line == 4


def test_a_header_is_kept_for_keys_and_refused_for_certificates() -> None:
    header = b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF"
    key = framed(header + b"\n\nAAAA\n", b"-----BEGIN EC PRIVATE KEY-----\n", b"-----END EC PRIVATE KEY-----\n")
    assert blocks(key) == [Block("EC PRIVATE KEY", b"\0\0\0", 1, header)]
    assert read_objects(key).keys == ((1, "EC PRIVATE KEY"),)
    assert read_objects(key.replace(b"DEK", b"DAK")).keys == ()
    (bad,) = blocks(PEM.replace(b"-----\n", b"-----\na: b\n\n", 1))
    assert isinstance(bad, BadBlock)


@pytest.mark.parametrize(
    "data",
    [
        PEM.replace(b"\n", b"\r"),
        b" " + PEM,
        b"\0\n" + PEM,
        PEM.decode().encode("utf-16"),
        PEM.decode().encode("utf-16-be"),
        b"x" + PEM,
        PEM.replace(b"BEGIN CERTIFICATE-----", b"BEGIN CERTIFICATE----- x"),
    ],
)
def test_lines_that_openssl_overlooks_are_found(data: bytes) -> None:
    assert blocks(data) == []
    (missed,) = unrecognized_begin_lines(data)
    assert missed.label.startswith("CERTIFICATE")


def test_files_without_ignored_begin_lines() -> None:
    assert unrecognized_begin_lines(PEM * 3 + framed(b"?\n")) == []
    inside = PEM.replace(b"\n-----END", b"\n-----BEGIN CERTIFICATE-----\n-----END")
    assert blocks(inside) == GOOD
    assert [missed.line for missed in unrecognized_begin_lines(inside)] == [PEM.count(b"\n")]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\n",
        "  -----BEGIN RSA PRIVATE KEY-----",
        "x\r-----BEGIN ENCRYPTED PRIVATE KEY-----\rAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    ],
)
@pytest.mark.parametrize("encoding", ["ascii", "utf-16", "utf-16-be", "utf-32"])
def test_private_keys_are_found_in_any_writing(text: str, encoding: str) -> None:
    assert private_key_form(PEM + text.encode(encoding)) == "PEM"


def test_not_everything_is_a_private_key() -> None:
    for data in (PEM, b"", b"-----BEGIN PUBLIC KEY-----\n", b"the PRIVATE KEY", b"BEGIN PRIVATE KEY"):
        assert not private_key_form(data)


TRUST = element(0x30, element(0x30, element(6, b"\x2a")), element(0xA0, element(6, b"\x2b")), element(0x0C, b"me"))


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        (b"", True),
        (TRUST, True),
        (TRUST + b"junk", True),
        (element(0x30, element(4, b"id"), element(0xA1, element(0x30, element(6, b"\x2a")))), True),
        (b"junk", False),
        (element(0x30, element(2, b"\1")), False),
    ],
)
def test_trust_settings_behind_a_certificate(settings: bytes, good: bool) -> None:
    objects = read_objects(encode(DER + settings, "TRUSTED CERTIFICATE"))
    assert (len(objects.certificates), len(objects.bad)) == ((1, 0) if good else (0, 1))


def test_a_file_of_everything() -> None:
    revoked = crl(name(utf8("Root")))
    labels = ("CERTIFICATE", "X509 CERTIFICATE", "X509 CRL", "ENCRYPTED PRIVATE KEY", "CERTIFICATE REQUEST", "X509 CRL")
    data = b"".join(encode(der, label) for der, label in zip((DER, DER, revoked, DER, DER, DER), labels, strict=True))
    objects = read_objects(data)
    assert [found.der for _, found in objects.certificates] == [DER, DER]
    assert [found.der for _, found in objects.crls] == [revoked]
    assert [label for _, label in objects.keys] == ["ENCRYPTED PRIVATE KEY"]
    assert [block.label for block in objects.others] == ["CERTIFICATE REQUEST"]
    assert [bad.label for bad in objects.bad] == ["X509 CRL"]
    lines = sorted(line for line, _ in (*objects.certificates, *objects.crls, *objects.keys))
    assert all(one < other for one, other in pairwise(lines))


NUMBERS = element(2, b"\1") * 8
ALGORITHM = element(0x30, element(6, b"\x2a"))
KEYS = (
    element(0x30, element(2, b"\0"), NUMBERS),
    element(0x30, element(2, b"\0"), NUMBERS[: 5 * 3]),
    element(0x30, element(2, b"\0"), element(2, b"\0\1") * 8),
    element(0x30, element(2, b"\1"), element(4, b"key"), element(0xA0, b"")),
    element(0x30, element(2, b"\0"), ALGORITHM, element(4, b"key")),
    element(0x30, ALGORITHM, element(4, b"key")),
)
PKCS7 = element(0x30, element(6, bytes.fromhex("2a864886f70d010702")), element(0xA0, b""))
PKCS12 = element(0x30, element(2, b"\3"), PKCS7)


def test_der_is_recognised_by_its_first_elements() -> None:
    assert all(map(looks_like_private_key_der, KEYS))
    assert not any(map(looks_like_private_key_der, (DER, PKCS7, PKCS12, b"", b"0", element(0x30, NUMBERS[:6]), PEM)))
    assert [looks_like_pkcs7(data) for data in (PKCS7, b"\x30\x80" + PKCS7[2:], DER, PKCS12, b"")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [looks_like_pkcs12(data) for data in (PKCS12, PKCS7, DER, KEYS[0])] == [True, False, False, False]


def test_a_malformed_key_makes_its_file_unusable() -> None:
    """OpenSSL drops a file if it cannot read the key in it."""
    for der, good in ((KEYS[-2], True), (KEYS[-1], False), (b"junk", False)):
        objects = read_objects(PEM + encode(der, "PRIVATE KEY"))
        assert (len(objects.keys), len(objects.bad)) == ((1, 0) if good else (0, 1))
