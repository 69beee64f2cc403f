"""What extensions say, in certificates that cryptography made, and in those that only a hand can make."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rootfs_trust.x509 import Certificate, parse_certificate, parse_crl
from rootfs_trust.x509.name import ADDRESS, DIRECTORY, DNS, GeneralName, NameConstraints
from rootfs_trust.x509.oids import KEY_USAGES

from .building import BASIC_CONSTRAINTS, KEY_USAGE, certificate, element, extension, name, utf8

SUBJECT = name(utf8("Root"))
ALTERNATIVE, CONSTRAINTS, AUTHORITY_KEY, NETSCAPE = "551d11", "551d1e", "551d23", "6086480186f8420101"
DN = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Below")])
DAY = datetime(2024, 1, 1, tzinfo=UTC)


def made(*extensions: x509.ExtensionType, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Certificate:
    private = ec.generate_private_key(curve())
    builder = x509.CertificateBuilder(DN, DN, private.public_key(), 5, DAY, DAY)
    for each in extensions:
        builder = builder.add_extension(each, False)
    return parse_certificate(builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def with_extension(oid: str, value: bytes, **parts: bytes) -> Certificate:
    return parse_certificate(certificate(SUBJECT, extensions=(extension(oid, value),), **parts))


def test_alternative_names_of_each_kind() -> None:
    mail, address = x509.RFC822Name("a@b.example"), x509.IPAddress(ip_address("192.0.2.1"))
    names = [x509.DNSName("a.example"), address, x509.DirectoryName(DN), mail]
    found = made(x509.SubjectAlternativeName(names))
    assert found.alternative_names == (
        GeneralName(DNS, b"a.example"),
        GeneralName(ADDRESS, bytes((192, 0, 2, 1))),
        GeneralName(DIRECTORY, DN.public_bytes()),
        GeneralName(0x81, b"a@b.example"),
    )
    assert found.names_servers
    assert not found.alternative_names_are_broken


@pytest.mark.parametrize(
    ("value", "servers", "broken"),
    [
        (element(0x30, element(0x81, b"a@b.example")), False, False),
        (element(0x30, element(0x81, b"a@b"), element(0x82, b"b")), True, False),
        (element(0x30, element(0x87, b"\1\2\3\4")), True, False),
        (element(0x30, element(0x86, b"https://a.example")), False, False),
        (element(0x30), False, True),
        (element(0x31, element(0x82, b"b")), False, True),
        (element(0x30, element(0x82, b"b"))[:-1], False, True),
    ],
)
def test_which_alternative_names_are_of_servers(value: bytes, servers: bool, broken: bool) -> None:
    found = with_extension(ALTERNATIVE, value)
    assert (found.names_servers, found.alternative_names_are_broken) == (servers, broken)


def test_no_alternative_names() -> None:
    found = parse_certificate(certificate(SUBJECT))
    assert (found.alternative_names, found.names_servers, found.alternative_names_are_broken) == ((), False, False)
    assert found.name_constraints is None


def test_name_constraints() -> None:
    permitted = [x509.DNSName("a.example"), x509.DirectoryName(DN)]
    excluded = [x509.IPAddress(ip_network("192.0.2.0/24"))]
    inside = (GeneralName(DNS, b"a.example"), GeneralName(DIRECTORY, DN.public_bytes()))
    outside = (GeneralName(ADDRESS, bytes((192, 0, 2, 0, 255, 255, 255, 0))),)
    assert made(x509.NameConstraints(permitted, excluded)).name_constraints == NameConstraints(inside, outside)
    assert made(x509.NameConstraints(permitted, None)).name_constraints == NameConstraints(inside, ())
    assert made(x509.NameConstraints(None, excluded)).name_constraints == NameConstraints((), outside)


def test_minimum_and_maximum_of_name_constraints_are_skipped() -> None:
    subtree = element(0x30, element(0x82, b"a"), element(0x80, b"\0"), element(0x81, b"\1"))
    other = element(0x30, element(0x82, b"b"))
    found = with_extension(CONSTRAINTS, element(0x30, element(0xA0, subtree, other)))
    assert found.name_constraints == NameConstraints((GeneralName(DNS, b"a"), GeneralName(DNS, b"b")))


@pytest.mark.parametrize(
    "value",
    [
        element(0x10, element(0xA0, element(0x30, element(0x82, b"a")))),
        element(0x30, element(0xA0, element(0x31, element(0x82, b"a")))),
        element(0x30, element(0xA0, element(0x30))),
        b"\x30\x80\xa0\x80" + element(0x30, element(0x82, b"a")),
        b"\x30\x80\xa0\x80\x30\x80" + element(0x82, b"a"),
    ],
)
def test_name_constraints_that_make_no_sense(value: bytes) -> None:
    assert with_extension(CONSTRAINTS, value).name_constraints is None


def test_each_bit_of_key_usage() -> None:
    for place, usage in enumerate(KEY_USAGES):
        octets = (0x8000 >> place).to_bytes(2)
        assert with_extension(KEY_USAGE, element(3, b"\0" + octets)).key_usage == {usage}
    assert with_extension(KEY_USAGE, element(3, b"\0\0\0\xff")).key_usage == frozenset()
    assert with_extension(KEY_USAGE, element(3, b"\0\xff\x80")).key_usage == set(KEY_USAGES)
    assert with_extension(KEY_USAGE, element(3, b"\0\xff")).key_usage == set(KEY_USAGES[:8])


@pytest.mark.parametrize(
    ("value", "ca", "length"),
    [
        (element(0x30), False, None),
        (element(0x30, b"\2\1\3"), False, 3),
        (element(0x30, b"\1\1\1", b"\2\1\xff"), True, -1),
        (element(0x30, b"\1\1\0", b"\2\2\1\0"), False, 256),
    ],
)
def test_basic_constraints(value: bytes, ca: bool, length: int | None) -> None:
    assert with_extension(BASIC_CONSTRAINTS, value + b"junk").basic_constraints == (ca, length)


@pytest.mark.parametrize("value", [element(0x30, b"\5\0"), element(0x30, b"\1\1\xff\2\1\0\2\1\0"), b"\x30\x80\1\1\xff"])
def test_basic_constraints_with_something_left_over(value: bytes) -> None:
    assert with_extension(BASIC_CONSTRAINTS, value).basic_constraints is None


def test_lists_of_indefinite_length_must_end() -> None:
    server = element(6, bytes.fromhex("2b06010505070301"))
    assert with_extension("551d25", b"\x30\x80" + server + b"\0\0").extended_key_usage == {"1.3.6.1.5.5.7.3.1"}
    assert with_extension("551d25", b"\x30\x80" + server).extended_key_usage is None


def test_an_authority_key_identifier_may_name_no_key() -> None:
    for value in (element(0x30), element(0x30, element(0x82, b"\1"))):
        assert with_extension(AUTHORITY_KEY, value).authority_key_id is None
    assert with_extension(AUTHORITY_KEY, element(0x30)).self_signed


def test_the_netscape_type_has_one_byte() -> None:
    v3 = element(0xA0, element(2, b"\2"))
    assert not with_extension(NETSCAPE, element(3, b"\0\0\7"), version=v3).is_ca
    assert not with_extension(NETSCAPE, element(3, b"\0\xf8\7"), version=v3).is_ca
    for octet in (b"\1", b"\2", b"\4"):
        assert with_extension(NETSCAPE, element(3, b"\0" + octet), version=v3).is_ca


def test_a_broken_or_doubled_extension_makes_no_ca_of_the_first_version() -> None:
    """check_ca: version 1 and self-signed is a CA, unless an extension that decides is there and unreadable."""
    assert parse_certificate(certificate(SUBJECT, version=b"")).is_ca
    assert not parse_certificate(certificate(SUBJECT, name(utf8("Other")), version=b"")).is_ca
    for oid, value in ((NETSCAPE, b"junk"), (KEY_USAGE, b"junk"), (BASIC_CONSTRAINTS, b"junk")):
        assert not with_extension(oid, value, version=b"").is_ca


def test_critical_extensions_and_repeated_ones() -> None:
    constraints, usage = extension(BASIC_CONSTRAINTS, element(0x30), critical=True), extension(KEY_USAGE, b"\3\2\1\6")
    spelled_out = element(0x30, element(6, bytes.fromhex("551d0e")), b"\1\1\0", element(4, b"\4\1a"))
    found = parse_certificate(certificate(SUBJECT, extensions=(usage, constraints, spelled_out)))
    assert found.critical == ("2.5.29.19",)
    assert not found.repeats_extension
    assert parse_certificate(certificate(SUBJECT, extensions=(usage, constraints, usage))).repeats_extension
    assert parse_certificate(certificate(SUBJECT)).critical == ()


def test_keys_with_and_without_a_named_curve() -> None:
    found = made(curve=ec.SECP384R1)
    assert (found.key_curve, found.key_bits, found.key_has_named_curve) == ("1.3.132.0.34", 384, True)
    prime = element(0x30, b"\2\1\1", element(0x30, b"\x06\1\x2a", element(2, b"\0" + b"\xff" * 32)))
    rsa = element(0x30, element(6, bytes.fromhex("2a864886f70d010101")), b"\5\0")
    odd = element(0x30, element(6, bytes.fromhex("2a864886f70d010101")), element(6, b"\x2a\x03"))
    spelled_out = element(0x30, element(6, bytes.fromhex("2a8648ce3d0201")), prime)
    for algorithm, named in ((rsa, False), (odd, True), (spelled_out, False)):
        key = element(0x30, algorithm, element(3, b"\0"))
        found = parse_certificate(certificate(SUBJECT, key=key))
        assert (found.key_curve, found.key_has_named_curve) == (None, named)


@pytest.mark.parametrize(
    ("modulus", "bits"), [(b"\0\xff", 8), (b"\xff\x7f", 16), (b"\x80", 8), (b"\xff", 8), (b"\0", 0)]
)
def test_the_sign_of_a_modulus_does_not_count(modulus: bytes, bits: int) -> None:
    """As `openssl x509 -text` has it: the octets are read as they are."""
    algorithm = element(0x30, element(6, bytes.fromhex("2a864886f70d010101")), b"\5\0")
    key = element(0x30, algorithm, element(3, b"\0" + element(0x30, element(2, modulus), element(2, b"\3"))))
    assert parse_certificate(certificate(SUBJECT, key=key)).key_bits == bits


@pytest.mark.parametrize(("prime", "bits"), [(b"\7", 3), (b"\1", 1), (b"\0", None), (b"\x80", None)])
def test_the_field_of_a_curve_that_is_spelled_out(prime: bytes, bits: int | None) -> None:
    """Source: EC_GROUP_new_from_ecparameters, which takes no prime that is zero or negative."""
    parameters = element(0x30, b"\2\1\1", element(0x30, b"\x06\1\x2a", element(2, prime)))
    algorithm = element(0x30, element(6, bytes.fromhex("2a8648ce3d0201")), parameters)
    key = element(0x30, algorithm, element(3, b"\0\4"))
    assert parse_certificate(certificate(SUBJECT, key=key)).key_bits == bits


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (b"500000000000Z", None),
        (b"50Z", None),
        (b"200101000000+0100-", None),
        (b"200101000000+01+00", None),
        (b"2001010000.xZ", None),
        (b".xZ", None),
        (b"200101000000+2460", datetime(2019, 12, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_odd_times(text: bytes, moment: datetime | None) -> None:
    validity = element(0x30, element(0x17, text), element(0x17, b"491231235959Z"))
    assert parse_certificate(certificate(SUBJECT, validity=validity)).not_before == moment


def test_an_algorithm_without_a_name_has_its_oid() -> None:
    der = certificate(SUBJECT)
    known, unknown = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d04037f")
    assert parse_certificate(der.replace(known, unknown)).signature_algorithm == "1.2.840.10045.4.3.127"


def test_certificates_are_equal_when_their_fingerprints_are() -> None:
    one, other = (certificate(name(utf8(text))) for text in ("One", "Other"))
    assert len({parse_certificate(one), parse_certificate(one), parse_certificate(other)}) == 2
    assert parse_certificate(one) != parse_certificate(other)
    assert parse_certificate(one) != parse_certificate(one).sha256


def test_a_revocation_list_with_extensions_that_cryptography_made() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateRevocationListBuilder(DN, DAY, DAY).add_extension(x509.CRLNumber(7), False)
    der = builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    found = parse_crl(der)
    assert (found.der, found.issuer.raw) == (der, DN.public_bytes())
    assert found.sha256 == sha256(der).hexdigest()
