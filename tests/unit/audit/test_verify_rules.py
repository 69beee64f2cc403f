"""Every rule by which an engine judges a path: a chain that breaks this rule only, and is refused for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.verdicts import verdicts
from rootfs_trust.audit.verify.versions import Assumed
from rootfs_trust.clients.client import Client, ClientAnchor, FoundAnchors, fixed
from rootfs_trust.x509 import parse_certificate
from tests.limbo.algorithms import ALGORITHMS, UNSIGNED, certificate
from tests.limbo.algorithms import HOST as HOST_OF_ALGORITHMS
from tests.support.authority import DAY, NOW, small_rsa_key

pytestmark = [pytest.mark.usefixtures("openssl_engine"), pytest.mark.filterwarnings("ignore")]

HOST = "server.example.com"
AT = timedelta(hours=1)
"""The time of the verdict, after NOW."""

ENGINES = ("go", "rustls", "gnutls", "java", "mbedtls")


def unknown(size: int = 3) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(
        ObjectIdentifier("1.2.3.4.5"), b"\x04\x82" + size.to_bytes(2, "big") + bytes(size)
    )


class Made:
    """A certificate signed by ``issuer``, or by itself. Each of ``extensions`` is critical if a pair says so."""

    def __init__(
        self, name: str, issuer: Made | None = None, *extensions, key=None, sha1=False, signer=None, **options
    ):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        public = self.key if isinstance(self.key, rsa.RSAPublicKey) else self.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name((issuer or self).name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 30 * DAY)
            .not_valid_after(NOW + options.get("days", 30) * DAY)
        )
        for each in extensions:
            extension, critical = each if isinstance(each, tuple) else (each, False)
            builder = builder.add_extension(extension, critical)
        signing = signer or (issuer or self).key
        digest = None if isinstance(signing, ed448.Ed448PrivateKey) else hashes.SHA256()
        self.der = builder.sign(signing, digest).public_bytes(serialization.Encoding.DER)
        if sha1:
            self.der = signed_with_sha1(self.der, signing)


def signed_with_sha1(der: bytes, key) -> bytes:
    from OpenSSL import crypto

    certificate = crypto.load_certificate(crypto.FILETYPE_ASN1, der)
    certificate.sign(crypto.PKey.from_cryptography_key(key), "sha1")
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def ca(length: int | None = None) -> tuple[x509.BasicConstraints, bool]:
    return x509.BasicConstraints(True, length), True


def usage(*names: str) -> x509.KeyUsage:
    all_names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    all_names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in names for name in all_names})


SAN = x509.SubjectAlternativeName([x509.DNSName(HOST)])
CLIENTS_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SIGNER = usage("key_cert_sign")
NOT_A_SIGNER = usage("crl_sign")
OTHER_NAMES = x509.NameConstraints([x509.DNSName("other.example")], None)
EMPTY_NAMES = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\x30\x00")
BROKEN_NAMES = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x05a")
ROOT, OTHER = Made("Root", None, ca(), SIGNER), Made("Root", None, ca(), SIGNER)
TINY = rsa.RSAPublicNumbers(65537, (1 << 1000) + 1).public_key()


class Case(NamedTuple):
    """What the server sends, its own certificate first, and the roots; ``host`` is asked for."""

    sent: tuple[Made, ...]
    roots: tuple[Made, ...]
    host: str = HOST


def good() -> Case:
    issuer = Made("Issuer", ROOT, ca(), SIGNER)
    return Case((Made(HOST, issuer, SAN, usage("digital_signature")), issuer), (ROOT,))


def leaf(*extensions, **options) -> Callable[[], Case]:
    """The server's certificate has ``extensions``, its issuer is a root."""
    return lambda: Case((Made(HOST, ROOT, *extensions, **options),), (ROOT,))


def issuer(*extensions, **options) -> Callable[[], Case]:
    """An intermediate has ``extensions``."""

    def case() -> Case:
        made = Made("Issuer", ROOT, *extensions, **options)
        return Case((Made(HOST, made, SAN), made), (ROOT,))

    return case


def root(*extensions, **options) -> Callable[[], Case]:
    """The root has ``extensions``."""

    def case() -> Case:
        made = Made("Root", None, *extensions, **options)
        return Case((Made(HOST, made, SAN),), (made,))

    return case


def pinned(*extensions, host: str = HOST, **options) -> Callable[[], Case]:
    """The server's certificate, signed by itself, is in the store."""

    def case() -> Case:
        made = Made(HOST, None, *extensions, **options)
        return Case((made,), (made,), host)

    return case


def too_deep() -> Case:
    upper = Made("Upper", ROOT, ca(0))
    lower = Made("Lower", upper, ca())
    return Case((Made(HOST, lower, SAN), lower, upper), (ROOT,))


def signed_by_another() -> Case:
    return Case((Made(HOST, ROOT, SAN, signer=OTHER.key),), (ROOT,))


def signed_by_another_intermediate() -> Case:
    made = Made("Issuer", ROOT, ca())
    return Case((Made(HOST, made, SAN, signer=OTHER.key), made), (ROOT,))


def weak_root() -> Case:
    made = Made("Root", None, ca(), key=small_rsa_key(1024))
    return Case((Made(HOST, made, SAN),), (made,))


def unsigned_root() -> Case:
    key = ALGORITHMS["P-256"]()
    made = certificate("Root", key, "Root", UNSIGNED, ca=True)
    server = certificate("Server", key, "Root", key, ca=False)
    return Case((SimpleNamespace(der=server),), (SimpleNamespace(der=made),), HOST_OF_ALGORITHMS)


RULES: dict[str, tuple[tuple[str, ...], Callable[[], Case], str]] = {
    "valid": (ENGINES, leaf(SAN, days=-1), "expired"),
    "anchor-valid": (("go", "gnutls", "mbedtls"), root(ca(), days=-1), "expired"),
    "intermediate-valid": (("go", "rustls", "gnutls", "java"), issuer(ca(), days=-1), "expired"),
    "well-made": (("go",), leaf(SAN, x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.30"), b"\x01")), "malformed"),
    "go-curve": (("go",), leaf(SAN, key=ec.generate_private_key(ec.BrainpoolP256R1())), "malformed"),
    "rustls-size": (
        ("rustls",),
        leaf(SAN, unknown(65000), (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.6"), bytes(900)), False)),
        "malformed",
    ),
    "gnutls-anchor": (("gnutls",), root(ca(), EMPTY_NAMES), "malformed"),
    "java-anchor": (
        ("java",),
        root((x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), b"\x04\x00"), True)),
        "client",
    ),
    "critical": (("go", "rustls", "gnutls", "java"), leaf(SAN, (unknown(), True)), "other"),
    "critical-mbedtls": (("mbedtls",), leaf(SAN, (unknown(), True)), "malformed"),
    "ca-names-server": (("rustls",), leaf(SAN, ca()), "ca-names-server"),
    "intermediate-ca": (
        ("go", "rustls", "gnutls", "java"),
        issuer((x509.BasicConstraints(False, None), True)),
        "not-a-ca",
    ),
    "anchor-ca": (("go", "gnutls", "java"), root((x509.BasicConstraints(False, None), True)), "not-a-ca"),
    "may-sign": (("go", "gnutls", "java"), issuer(ca(), NOT_A_SIGNER), "not-a-ca"),
    "path-length": (("go", "rustls", "gnutls", "java"), too_deep, "not-a-ca"),
    "signed": (("gnutls", "java"), signed_by_another, "bad-signature"),
    "signed-mbedtls": (("mbedtls",), signed_by_another_intermediate, "bad-signature"),
    "digest": ((*ENGINES[:3], "mbedtls"), leaf(SAN, sha1=True), "weak"),
    "key-of-rustls": (("rustls", "mbedtls"), weak_root, "weak"),
    "key-of-gnutls": (("gnutls", "java"), leaf(SAN, key=TINY), "weak"),
    "server-key-of-rustls": (("rustls",), leaf(SAN, key=small_rsa_key(1024)), "weak"),
    "signature-of-anchor": (("gnutls",), unsigned_root, "malformed"),
    "may-be-a-server": (("java", "mbedtls"), leaf(SAN, usage("key_encipherment")), "purpose"),
    "purpose": (ENGINES, leaf(SAN, CLIENTS_ONLY), "purpose"),
    "purpose-of-intermediates": (("go", "rustls", "gnutls"), issuer(ca(), CLIENTS_ONLY), "purpose"),
    "constraints": (("go", "rustls", "gnutls", "java"), issuer(ca(), (OTHER_NAMES, True)), "constraints"),
    "host": (ENGINES, leaf(x509.SubjectAlternativeName([x509.DNSName("other.example")])), "host-name"),
    "pinned-well-made": (
        ("go",),
        pinned(SAN, x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.30"), b"\x01")),
        "malformed",
    ),
    "pinned-valid": (("go", "gnutls", "mbedtls"), pinned(SAN, days=-1), "expired"),
    "pinned-critical": (("go",), pinned(SAN, (unknown(), True)), "other"),
    "pinned-purpose": (("go", "gnutls", "mbedtls"), pinned(SAN, CLIENTS_ONLY), "purpose"),
    "pinned-host": (("go", "gnutls", "java", "mbedtls"), pinned(SAN, host="other.example"), "host-name"),
    "pinned-usage": (("mbedtls",), pinned(SAN, usage("key_encipherment")), "purpose"),
    "pinned-key": (("mbedtls",), pinned(SAN, key=small_rsa_key(1024)), "weak"),
    "pinned-key-of-gnutls": (("gnutls",), pinned(SAN, key=TINY, signer=OTHER.key), "weak"),
}


def judged(engine: str, case: Case):
    anchors = tuple(ClientAnchor(parse_certificate(each.der), "roots.pem") for each in case.roots)
    client = Client(engine, engine, fixed(FoundAnchors(anchors, "roots.pem")))
    chain = Chain(tuple(parse_certificate(each.der) for each in case.sent))
    (found,) = verdicts([client], chain, NOW + AT, case.host, lambda _: None, Assumed())
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_good_chain_is_trusted(engine: str):
    found = judged(engine, good())
    assert found.trusted, found.reason


@pytest.mark.parametrize(
    ("rule", "engine"), [(rule, each) for rule, (engines, *_) in RULES.items() for each in engines]
)
def test_a_broken_rule_is_the_reason(rule: str, engine: str):
    _, case, expected = RULES[rule]
    found = judged(engine, case())
    assert (found.trusted, found.id) == (False, expected), found.reason


@pytest.mark.parametrize("engine", ENGINES)
def test_a_certificate_is_valid_in_its_last_second(engine: str):
    assert judged(engine, leaf(SAN, days=AT / DAY)()).trusted
    assert judged(engine, leaf(SAN, days=(AT - timedelta(seconds=1)) / DAY)()).id == "expired"


def excluding(*names: x509.GeneralName) -> tuple[x509.NameConstraints, bool]:
    return x509.NameConstraints(None, names), True


def test_gnutls_reads_a_list_of_names_up_to_an_empty_directory_name():
    empty, unused = x509.DirectoryName(x509.Name([])), x509.DNSName("unused.example")
    host = x509.DNSName(HOST)
    assert judged("gnutls", issuer(ca(), excluding(unused, empty, host))()).trusted
    assert not judged("gnutls", issuer(ca(), excluding(host, empty))()).trusted
