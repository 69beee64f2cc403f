"""Whatever the bytes are: only the project's own error, and in a time that grows no faster than the input."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError
from rootfs_trust.store.hash_links import links, read_entry
from rootfs_trust.x509 import pem
from tests.unit.x509.building import (
    BASIC_CONSTRAINTS,
    CA_TRUE,
    KEY_USAGE,
    certificate,
    crl,
    element,
    extension,
    name,
    utf8,
)

SUBJECT = name(utf8("Example Root"), element(0x1E, "Ünï".encode("utf-16-be")), element(0x13, b"X  y"))
SEEDS = (
    certificate(SUBJECT, extensions=(extension(BASIC_CONSTRAINTS, CA_TRUE, critical=True),)),
    certificate(SUBJECT, extensions=(extension(KEY_USAGE, b"\x03\x02\x01\x06"), extension("551d0e", b"\x04\x01A"))),
    certificate(SUBJECT, key=element(0x30, element(0x30, element(6, b"\x2a\x03")), element(3, b"\0"))),
    crl(SUBJECT, revoked=element(0x30, element(0x30, element(2, b"\5"), element(0x17, b"200101000000Z")))),
    SUBJECT,
)
TEXTS = tuple(
    pem.encode(der, label)
    for der, label in zip(SEEDS, ("CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL", "X", "PRIVATE KEY"), strict=True)
)
LINES = (b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"\n", b"\0", b"a: b\n", b"-", b"=")


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...], pieces: tuple[bytes, ...]) -> bytes:
    """One of some good inputs after a few cuts, replacements and insertions."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = begin + draw(st.sampled_from((0, 0, 1, 1, 2, 9)))
        data = data[:begin] + draw(st.sampled_from(pieces) | st.binary(max_size=3)) + data[end:]
    return data


DER_PIECES = (b"\x80", b"\x30\x80", b"\0\0", b"\x24\x80", b"\x84\0\0\0\1", b"\x1f\x81", b"\xff", b"\x06\x01")
binaries = st.binary(max_size=200) | mutated(SEEDS, DER_PIECES)
texts = st.binary(max_size=200) | mutated(TEXTS, LINES)


def look_at(certificate: x509.Certificate) -> None:
    """Ask all that a certificate can be asked: nothing of it may raise."""
    for attribute in dir(certificate):
        if not attribute.startswith("_"):
            getattr(certificate, attribute)
    for subject in (certificate.subject, certificate.issuer):
        assert subject.text.isprintable()
        assert len(subject.hash + subject.hash_old) == 16
        assert subject.common_name != subject


@settings(max_examples=600, deadline=None)
@given(binaries)
def test_binary_input(data: bytes) -> None:
    for parse in (x509.parse_certificate, x509.parse_crl, x509.Name):
        try:
            found = parse(data)
        except MalformedError:
            continue
        if isinstance(found, x509.Certificate):
            look_at(found)
    for question in (x509.looks_like_pkcs7, x509.looks_like_pkcs12):
        assert question(data) in (True, False)


@settings(max_examples=600, deadline=None)
@given(texts)
def test_text_input(data: bytes) -> None:
    entry = read_entry("a.pem", data)
    assert entry.linkables or entry.warnings
    assert set(links([entry], ("new", "old")).values()) <= {"a.pem"}
    for _, found in x509.read_objects(data).certificates:
        look_at(found)
    assert isinstance(x509.private_key_form(data), str)


@settings(max_examples=600, deadline=None)
@given(texts)
def test_the_short_way_through_pem_gives_what_the_long_one_does(data: bytes) -> None:
    """Reading block by block is only a shortcut for reading line by line."""
    assert pem.blocks(data) == list(pem._odd_blocks(pem._Lines(data, 0, 1)))


@given(st.binary(min_size=1, max_size=300), st.sampled_from(("CERTIFICATE", "X509 CRL", "A B")))
def test_what_is_encoded_is_read_back(der: bytes, label: str) -> None:
    assert pem.blocks(pem.encode(der, label)) == [pem.Block(label, der, 1)]


@given(mutated(SEEDS[:1], DER_PIECES))
def test_bytes_after_a_certificate(data: bytes) -> None:
    """They are refused unless they are said not to matter, and never become part of it."""
    try:
        found = x509.parse_certificate(data + b"\1", trailing=True)
    except MalformedError:
        return
    assert data + b"\1" == found.der + (data + b"\1")[len(found.der) :]
    with pytest.raises(MalformedError):
        x509.parse_certificate(found.der + b"\1")


def nested(identifier: bytes) -> Callable[[int], bytes]:
    return lambda size: identifier * (size // len(identifier))


def in_a_name(value: bytes) -> Callable[[int], bytes]:
    """Many values in one name, up to what OpenSSL takes."""
    return lambda size: certificate(element(0x30, *[element(0x31, value)] * (size // (len(value) + 2))))


def one_value(identifier: int, octet: bytes) -> Callable[[int], bytes]:
    return lambda size: certificate(name(element(identifier, octet * size)))


def one_oid(size: int) -> bytes:
    value = element(0x30, element(6, b"\xff" * size + b"\x7f"), utf8("x"))
    return certificate(element(0x30, element(0x31, value)))


def many_revoked(size: int) -> bytes:
    entry = element(0x30, element(2, b"\5"), element(0x17, b"200101000000Z"))
    return crl(SUBJECT, revoked=element(0x30, entry * (size // len(entry))))


def many_extensions(size: int) -> bytes:
    one = extension("551d0e", b"\x04\x01A")
    return certificate(SUBJECT, extensions=(one,) * (size // len(one)))


def lines_of(line: bytes) -> Callable[[int], bytes]:
    return lambda size: line * (size // len(line))


HARD = {
    "sequences in sequences": nested(b"\x30\x80"),
    "sequences of long length": nested(b"\x30\x84\x7f\xff\xff\xff"),
    "strings in strings": lambda size: certificate(name(b"\x2c\x80" * (size // 2))),
    "sequences in a value": lambda size: certificate(name(b"\x30\x80" * (size // 4) + b"\0\0" * (size // 4))),
    "a string of many pieces": lambda size: certificate(name(element(0x2C, b"\x0c\x01A" * (size // 3)))),
    "empty sets": in_a_name(b""),
    "many attributes": in_a_name(element(0x30, b"\x06\x03\x55\x04\x03", utf8("x"))),
    "a long text": one_value(0x0C, b" a"),
    "a long bit string": one_value(0x03, b"\1"),
    "a huge arc": one_oid,
    "a huge serial": lambda size: certificate(SUBJECT, serial=element(2, b"\x7f" * size)),
    "a huge version": lambda size: certificate(SUBJECT, version=element(0xA0, element(2, b"\x7f" * size))),
    "many revoked": many_revoked,
    "many extensions": many_extensions,
    "many blocks": lines_of(TEXTS[0]),
    "BEGIN lines": lines_of(b"-----BEGIN CERTIFICATE-----\n"),
    "BEGIN in one line": lines_of(b"-----BEGIN CERTIFICATE-----"),
    "BEGIN and no line": lines_of(b"-----BEGIN "),
    "bad blocks": lines_of(b"-----BEGIN X-----\n\n\n"),
    "keys": lines_of(b"--BEGIN KEY"),
    "empty lines": lines_of(b"\n"),
    "a long line": lines_of(b"A"),
    "NUL": lines_of(b"-----BEGIN X-----\0"),
}


def seconds(data: bytes) -> float:
    begin = time.process_time()
    for form in (data, pem.encode(data)):
        read_entry("a.pem", form)
        x509.private_key_form(form)
        try:
            look_at(x509.parse_certificate(form, trailing=True))
        except MalformedError:
            continue
    return time.process_time() - begin


@pytest.mark.parametrize("case", HARD)
def test_time_grows_no_faster_than_the_input(case: str) -> None:
    """Sixteen times the input may take sixteen times the time, and some more for an unquiet machine."""
    small, large = (min(seconds(HARD[case](size)) for _ in range(2)) for size in (10_000, 160_000))
    assert large < 16 * 3 * max(small, 0.001)
