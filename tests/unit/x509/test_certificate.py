"""Certificates: what is taken, what is refused, and what can be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509 import BasicConstraints, Certificate, parse_certificate, parse_crl

from .building import (
    BASIC_CONSTRAINTS,
    CA_TRUE,
    KEY_USAGE,
    SIGNATURE,
    certificate,
    crl,
    element,
    extension,
    long_length,
    name,
    utf8,
)

SUBJECT, OTHER = name(utf8("Root")), name(utf8("Other"))
V1 = b""
NETSCAPE_TYPE = "6086480186f8420101"


def parsed(**parts: object) -> Certificate:
    return parse_certificate(certificate(SUBJECT, **parts))  # type: ignore[arg-type]


def with_extensions(*extensions: bytes, **parts: object) -> Certificate:
    return parsed(extensions=extensions, **parts)


def test_the_plain_facts() -> None:
    der = certificate(SUBJECT, OTHER)
    found = parse_certificate(der + b"trailing", trailing=True)
    assert found == parse_certificate(der)
    assert (found.der, found.sha256) == (der, sha256(der).hexdigest())
    assert (found.version, found.serial) == (3, 1)
    assert (found.subject.raw, found.issuer.raw) == (SUBJECT, OTHER)
    assert (found.key_algorithm, found.key_bits) == ("EC", 256)
    assert found.signature_algorithm == "ecdsa-with-SHA256"
    assert found.not_before == datetime(2020, 1, 1, tzinfo=UTC)
    assert found.not_after == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert not found.self_issued


def test_bytes_after_a_certificate_are_refused_unless_trailing() -> None:
    with pytest.raises(MalformedError, match="follow"):
        parse_certificate(certificate(SUBJECT) + b"\0")


def test_fingerprint_is_of_what_openssl_writes_again() -> None:
    """Everything around the signed part becomes DER; the signed part keeps its bytes."""
    der = certificate(SUBJECT, signature=element(3, b"\3\xf8"))
    signed_and_algorithm = der[2 + (der[1] & 0x7F) : -4] if der[1] >= 0x80 else der[2:-4]
    sloppy = signed_and_algorithm + b"\x23\x80\x03\x02\x03\xff\0\0"
    ber = b"\x30" + long_length(len(sloppy), 3) + sloppy
    assert parse_certificate(ber).sha256 == sha256(der).hexdigest()
    assert parse_certificate(ber).der == ber


@pytest.mark.parametrize(
    "parts",
    [
        {"serial": element(2, b"")},
        {"serial": element(2, b"\0\1")},
        {"serial": element(2, b"\xff\x80")},
        {"serial": b""},
        {"version": element(0xA0, element(2, b"\0\2"))},
        {"version": element(0xA0, element(2, b"\2"), b"\0")},
        {"version": b"\x80\3\2\1\2"},
        {"validity": element(0x30, element(0x17, b"x"))},
        {"validity": element(0x30, element(0x17, b"x"), element(0x0C, b"x"))},
        {"validity": b"\x10\x06" + element(0x17, b"x") * 2},
        {"key": element(0x30, SIGNATURE)},
        {"key": element(0x30, element(0x30), element(3, b"\0"))},
        {"tail": element(0x84, b"")},
        {"tail": element(0x81, b"")},
        {"tail": b"\0\0"},
        {"signature": element(3, b"\x08\0")},
        {"signature": element(3, b"")},
        {"signature": element(3, b"\0") * 2},
        {"extensions": (element(0x30, element(6, b"\x2a"), element(1, b"\1\1"), element(4, b"")),)},
        {"extensions": (element(0x30, element(6, b"\x2a"), element(1, b"\1")),)},
        {"extensions": (element(0x30, element(6, b""), element(4, b"abcd")),)},
        {"extensions": (element(0x30, element(6, b"\x2a"), element(4, b"abcd"), b"\5\0"),)},
        {"extensions": (element(0x30, b"\x06\x7f\x2a", element(4, b"abcd")),)},
    ],
)
def test_structures_that_openssl_refuses(parts: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        parsed(**parts)


@pytest.mark.parametrize(
    "parts",
    [
        {"version": V1},
        {"version": element(0xA0, element(2, b"\xfe"))},
        {"serial": element(2, b"\x80")},
        {"serial": element(2, b"\0")},
        {"serial": element(2, b"\x11" * 40)},
        {"serial": element(2, b"\xff\0")},
        {"validity": element(0x30, element(0x17, b""), element(0x18, b"never"))},
        {"validity": b"\x30\x80" + element(0x17, b"") * 2 + b"\0\0"},
        {"tail": element(0x81, b"\0a") + element(0x82, b"\0b")},
        {"extensions": (extension(BASIC_CONSTRAINTS, b"junk"),) * 2},
        {"extensions": (element(0x30, element(6, b"\x2a"), element(1, b"\0"), element(0x24, b"")),)},
        {"version": V1, "extensions": (extension(BASIC_CONSTRAINTS, CA_TRUE),)},
    ],
)
def test_unusual_certificates_that_openssl_accepts(parts: dict[str, object]) -> None:
    found = parsed(**parts)
    assert found.subject.hash == parse_certificate(certificate(SUBJECT)).subject.hash
    assert found.key_bits == 256


def test_serials_and_versions_of_any_sign() -> None:
    assert parsed(serial=element(2, b"\x80")).serial == -128
    assert parsed(version=element(0xA0, element(2, b"\xfe"))).version == -1
    assert parsed(version=V1).version == 1


@pytest.mark.parametrize(
    ("tag", "text", "moment"),
    [
        (0x17, b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (0x17, b"4912312359Z", datetime(2049, 12, 31, 23, 59, tzinfo=UTC)),
        (0x17, b"200101000000+0130", datetime(2019, 12, 31, 22, 30, tzinfo=UTC)),
        (0x17, b"200101000000-0130", datetime(2020, 1, 1, 1, 30, tzinfo=UTC)),
        (0x18, b"99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (0x18, b"20200101000000.5Z", datetime(2020, 1, 1, tzinfo=UTC)),
        (0x18, b"20200101000000.Z", None),
        (0x18, b"20200101000000", None),
        (0x18, b"99991231235959-0100", None),
        (0x17, b"201301000000Z", None),
        (0x17, b"never", None),
        (0x17, b"", None),
    ],
)
def test_times(tag: int, text: bytes, moment: datetime | None) -> None:
    assert parsed(validity=element(0x30, element(tag, text), element(tag, text))).not_after == moment


def test_extensions_that_say_something() -> None:
    found = with_extensions(
        extension(BASIC_CONSTRAINTS, element(0x30, b"\1\1\xff", b"\2\1\0"), critical=True),
        extension(KEY_USAGE, b"\3\2\1\6"),
        extension("551d25", element(0x30, element(6, bytes.fromhex("2b06010505070301")))),
        extension("551d0e", element(4, b"key")),
        extension("551d23", element(0x30, element(0x80, b"key"))),
    )
    assert found.basic_constraints == BasicConstraints(ca=True, path_length=0)
    assert found.key_usage == {"keyCertSign", "cRLSign"}
    assert found.extended_key_usage == {"1.3.6.1.5.5.7.3.1"}
    assert (found.subject_key_id, found.authority_key_id) == (b"key", b"key")
    assert found.is_ca
    assert found.self_signed


def test_extensions_that_are_absent_broken_or_doubled_say_nothing() -> None:
    doubled = (extension("551d0e", element(4, b"key")),) * 2
    broken = extension(BASIC_CONSTRAINTS, b"junk"), extension("551d25", b"\x30\1")
    for found in (with_extensions(*doubled, *broken), parsed()):
        assert found.subject_key_id is None
        assert found.basic_constraints is None
        assert found.extended_key_usage is None
        assert found.key_usage is None
        assert not found.is_ca


@pytest.mark.parametrize(
    ("extensions", "version", "ca"),
    [
        ((), V1, True),
        ((extension(BASIC_CONSTRAINTS, b"\x30\0"),), V1, False),
        ((extension(BASIC_CONSTRAINTS, CA_TRUE),), V1, True),
        ((extension(BASIC_CONSTRAINTS, CA_TRUE), extension(KEY_USAGE, b"\3\2\7\x80")), V1, False),
        ((extension(KEY_USAGE, b"\3\2\2\4"),), V1, True),
        ((extension(NETSCAPE_TYPE, b"\3\2\2\4"),), element(0xA0, element(2, b"\2")), True),
        ((extension(NETSCAPE_TYPE, b"\3\2\6\x80"),), element(0xA0, element(2, b"\2")), False),
        ((extension(BASIC_CONSTRAINTS, b"junk"), extension(KEY_USAGE, b"\3\2\2\4")), V1, False),
        ((), element(0xA0, element(2, b"\2")), False),
    ],
)
def test_what_counts_as_a_ca(extensions: tuple[bytes, ...], version: bytes, ca: bool) -> None:
    assert with_extensions(*extensions, version=version).is_ca is ca


def test_key_identifiers_that_differ_make_it_not_self_signed() -> None:
    found = with_extensions(
        extension("551d0e", element(4, b"one")), extension("551d23", element(0x30, element(0x80, b"two")))
    )
    assert found.self_issued
    assert not found.self_signed


def key(algorithm: str, parameters: bytes, bits: bytes) -> bytes:
    return element(0x30, element(0x30, element(6, bytes.fromhex(algorithm)), parameters), element(3, b"\0" + bits))


PRIME = element(2, b"\0" + b"\xff" * 32)
RSA = "2a864886f70d010101"


@pytest.mark.parametrize(
    ("spki", "algorithm", "bits"),
    [
        (key(RSA, b"\5\0", element(0x30, element(2, b"\0\x80" + b"\1" * 255), element(2, b"\3"))), "RSA", 2048),
        (key(RSA, b"\5\0", b"junk"), "RSA", None),
        (key("2b6570", b"", b"k" * 32), "Ed25519", 256),
        (key("2a8648ce380401", element(0x30, PRIME, PRIME, PRIME), element(2, b"\1")), "DSA", 256),
        (key("2a8648ce3d0201", element(6, bytes.fromhex("2b81040022")), b"\4"), "EC", 384),
        (key("2a8648ce3d0201", element(6, b"\x2a\x03"), b"\4"), "EC", None),
        (
            key("2a8648ce3d0201", element(0x30, b"\2\1\1", element(0x30, b"\x06\1\x2a", PRIME)), b"\4"),
            "EC",
            256,
        ),
        (key("2a0304", b"", b""), "1.2.3.4", None),
    ],
)
def test_keys(spki: bytes, algorithm: str, bits: int | None) -> None:
    found = parsed(key=spki)
    assert (found.key_algorithm, found.key_bits) == (algorithm, bits)


def test_a_revocation_list() -> None:
    revoked = element(0x30, element(2, b"\5"), element(0x17, b"x"), element(0x30, extension("551d15", b"\x0a\1\1")))
    der = crl(SUBJECT, updates=element(0x17, b"x") + element(0x18, b"y"), revoked=element(0x30, revoked))
    found = parse_crl(der)
    assert (found.issuer.raw, found.sha256, found.der) == (SUBJECT, sha256(der).hexdigest(), der)
    assert found == parse_crl(der + b"\0", trailing=True)
    for bad in (der + b"\0", crl(SUBJECT, updates=b""), crl(SUBJECT, revoked=b"\x30\2\x30\0"), certificate(SUBJECT)):
        with pytest.raises(MalformedError):
            parse_crl(bad)


def test_an_empty_last_element_with_a_long_length_is_refused() -> None:
    """Rule 8: OpenSSL 3.0.19 refuses it, 3.0.22 does not; a device may have either."""
    value = element(0x30, bytes.fromhex("0603550403"), b"\x0c\x81\0")
    with pytest.raises(MalformedError, match="some versions of OpenSSL refuse"):
        parse_certificate(certificate(element(0x30, element(0x31, value))))
