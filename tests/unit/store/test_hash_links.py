"""Links worked out from files: names, numbers, order, and what is reported about files that get none."""

from __future__ import annotations

import pytest

from rootfs_trust.store.hash_links import (
    HashedFile,
    Linkable,
    duplicates,
    entry_of,
    is_hash_link_name,
    links,
    read_entry,
    rehashable,
)
from rootfs_trust.x509 import Name, encode, parse_certificate, parse_crl
from tests.unit.x509.building import certificate, crl, element, name, utf8

ROOT = name(utf8("Root"))
DER, OTHER = certificate(ROOT), certificate(ROOT, serial=element(2, b"\2"))
CRL = crl(ROOT)
PEM, OTHER_PEM, CRL_PEM = encode(DER), encode(OTHER), encode(CRL, "X509 CRL")
KEY = encode(b"", "X").replace(b"\n-", b"\nAAAA\n-", 1).replace(b" X-", b" ENCRYPTED PRIVATE KEY-")
HASH, HASH_OLD = parse_certificate(DER).subject.hash, parse_certificate(DER).subject.hash_old


HASH_LINKS = (
    "00000000.0 0123abcd.17 0123abcd.r0 ABCDEF01.0 abcdef01.R0 abcdef01.007 abcdef01.+1 abcdef01.r "
    "abcdef01. abcdef01.99999999999999999999 abcdef01.r+1"
)
OTHERS = (
    "0123abc.0 0123abcde.0 0123abcg.0 0123abcd 0123abcd.0x 0123abcd.x 0123abcd.rr0 0123abcd.r0.pem 0123abcd.+ "
    "0123abcd.\u0661 \u0661123abcd.0 0123abcd..0 .0 0123abcd.0\n 0123abcd.-1"
)


@pytest.mark.parametrize("link", HASH_LINKS.split(" "))
def test_names_of_hash_links(link: str) -> None:
    assert is_hash_link_name(link)
    assert not rehashable(link)


@pytest.mark.parametrize("file", OTHERS.split(" "))
def test_names_of_other_files(file: str) -> None:
    assert not is_hash_link_name(file)


def test_strtoul_accepts_white_space_before_a_number() -> None:
    assert is_hash_link_name("0123abcd. 1")
    assert not is_hash_link_name("0123abcd. ")


def test_extensions() -> None:
    for file in ("a.pem", "a.CRT", ".cer", "a.b.Crl", "a\udcff.pem"):
        assert rehashable(file)
    for file in ("a", "pem", "a.pem.bak", "a.der", "ok.crt~", "a.pem ", ""):
        assert not rehashable(file)


def test_styles() -> None:
    entries = [read_entry("a.pem", PEM)]
    assert links(entries) == links(entries, ("new",)) == {f"{HASH}.0": "a.pem"}
    assert links(entries, ("old",)) == {f"{HASH_OLD}.0": "a.pem"}
    assert links(entries, ("new", "old")) == {f"{HASH}.0": "a.pem", f"{HASH_OLD}.0": "a.pem"}


def test_numbers_are_dense_and_in_byte_order_of_names() -> None:
    """U+FF01 comes after a lone byte 0xEE in bytes, though not as code points."""
    names = ["B.pem", "a.pem", "é.pem", "\udcee.pem", "\uff01.pem"]
    ders = [certificate(ROOT, serial=element(2, bytes((number + 1,)))) for number in range(len(names))]
    entries = [read_entry(file, encode(der)) for file, der in zip(names, ders, strict=True)]
    in_order = ["B.pem", "a.pem", "é.pem", "\udcee.pem", "\uff01.pem"]
    expected = {f"{HASH}.{number}": file for number, file in enumerate(in_order)}
    assert links(entries) == links(entries[::-1]) == expected


def test_copies_are_linked_once_under_the_first_name() -> None:
    copies = [read_entry("b.pem", PEM), read_entry("a.crt", b"text\n" + PEM.replace(b"\n", b"\r\n"))]
    trusted = read_entry("c.pem", encode(DER, "TRUSTED CERTIFICATE"))
    assert links([*copies, trusted]) == {f"{HASH}.0": "a.crt"}
    told = duplicates([*copies, trusted, read_entry("d.pem", OTHER_PEM)])
    assert [(problem.path, problem.id) for problem in told] == [("b.pem", "duplicate"), ("c.pem", "duplicate")]
    assert "a.crt" in told[0].message


def test_a_certificate_and_a_crl_in_one_file_each_get_their_link() -> None:
    for data in (PEM + CRL_PEM, CRL_PEM + KEY + PEM):
        entry = read_entry("a.pem", data)
        assert links([entry]) == {f"{HASH}.0": "a.pem", f"{HASH}.r0": "a.pem"}
        assert entry.warnings == ()


def test_numbers_of_certificates_and_crls_are_apart() -> None:
    entries = [read_entry("a.crl", CRL_PEM), read_entry("b.pem", PEM), read_entry("c.pem", OTHER_PEM)]
    assert links(entries) == {f"{HASH}.r0": "a.crl", f"{HASH}.0": "b.pem", f"{HASH}.1": "c.pem"}


def test_more_than_256_of_one_hash() -> None:
    things = [HashedFile(f"{n:04}.pem", (Linkable("certificate", str(n), Name(ROOT)),)) for n in range(300)]
    assert links(things)[f"{HASH}.299"] == "0299.pem"


def test_entry_of_what_is_parsed_is_what_is_read() -> None:
    assert entry_of("a.pem", parse_certificate(DER)) == read_entry("a.pem", PEM)
    assert entry_of("a.pem", parse_crl(CRL)) == read_entry("a.pem", CRL_PEM)


@pytest.mark.parametrize(
    ("data", "id_", "words"),
    [
        (b"", "no-certificate", "no certificate"),
        (PEM + OTHER_PEM, "several-certificates", "install splits"),
        (CRL_PEM + CRL_PEM, "several-certificates", "more than one"),
        (KEY + PEM + KEY, "several-certificates", "key"),
        (DER, "der", "DER certificate"),
        (CRL, "not-pem", "DER CRL"),
        (element(0x30, element(6, bytes.fromhex("2a864886f70d010702"))), "not-pem", "PKCS #7"),
        (element(0x30, b"\2\1\3", element(0x30, element(6, bytes.fromhex("2a864886f70d010701")))), "not-pem", "12"),
        (KEY, "private-key", "no certificate"),
        (element(0x30, element(2, b"\1"), element(4, b"k")), "private-key", "no certificate"),
        (PEM + encode(b"junk"), "pem-malformed", "line 8"),
        (b"-----BEGIN \x1b[2J-----\n", "pem-malformed", "the '\\x1b[2J' block"),
        (PEM.decode().encode("utf-16"), "pem-unseen", "line 1"),
        (b" " + PEM, "pem-unseen", "line 1"),
        (encode(DER, "PKCS7"), "no-certificate", "no certificate"),
    ],
)
def test_files_without_links_get_a_warning(data: bytes, id_: str, words: str) -> None:
    entry = read_entry("a.pem", data)
    (warning,) = entry.warnings
    assert entry.linkables == ()
    assert (warning.path, warning.id) == ("a.pem", id_)
    assert words in str(warning)


def test_bytes_after_a_certificate_are_a_warning() -> None:
    """`openssl rehash` links it, though its lookup cannot load it; trust settings it can."""
    (warning,) = read_entry("a.pem", encode(DER + b"junk")).warnings
    assert warning.id == "pem-octets-behind"
    assert links([read_entry("a.pem", encode(DER + b"junk"))]) == {f"{HASH}.0": "a.pem"}
    assert read_entry("a.pem", encode(DER + b"\x30\0")).warnings == ()


def test_ignored_begin_lines_of_a_linked_file_are_a_warning() -> None:
    entry = read_entry("a.pem", PEM + b" " + OTHER_PEM)
    assert links([entry]) == {f"{HASH}.0": "a.pem"}
    (warning,) = entry.warnings
    assert (warning.id, str(PEM.count(b"\n") + 1) in warning.message) == ("pem-unseen", True)
