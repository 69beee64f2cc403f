"""Anchors that a client of the rootfs cannot read: what it loses, and who is reported."""

from __future__ import annotations

import functools

import pytest

from rootfs_trust.audit.client_faults import blinds_somebody
from rootfs_trust.audit.unreadable_anchors import losses
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import encode, parse_certificate
from tests.limbo.algorithms import ALGORITHMS, UNSIGNED, Algorithm, bits, certificate, oid, sequence
from tests.support.authority import Authority
from tests.support.memory import MemoryTree

BUNDLE, JAVA = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/java/cacerts"
GOOD = Authority("Good").der
SM2 = "1.2.156.10197.1.301"


@functools.cache
def root(name: str) -> bytes:
    """A root of its own in DER."""
    key = ALGORITHMS["P-256"]() if name == "SM2" else ALGORITHMS[name]()
    signer = UNSIGNED if name == "no signature" else key
    if name == "SM2":  # the curve is what matters here: no point of it is needed
        public = sequence(sequence(oid("1.2.840.10045.2.1"), oid(SM2)), bits(b"\4" + bytes(64)))
        key = Algorithm(public, key.signature, key.sign)
    return certificate("Odd", key, "Odd", signer, ca=True)


def found(name: str, entries: dict[str, bytes] | None = None) -> dict[str, tuple[str, bool]]:
    """For each client the reason and whether it loses everything, with ``name`` in the bundle and Java's store."""
    tree = {
        BUNDLE: encode(GOOD) + encode(root(name)),
        JAVA: keystore([("good", GOOD), ("odd", root(name))], 0),
        "/usr/lib/libmbedx509.so.1": b"",
        **(entries or {}),
    }
    reading = FileReader(Device(MemoryTree({path: File(data) for path, data in tree.items()})))
    lost = [loss for loss in losses(reading) if loss.certificate.der == root(name)]
    return {client: (loss.reason, loss.everything) for loss in lost for client in loss.clients}


@pytest.mark.parametrize(
    ("name", "clients", "losing_everything"),
    [
        ("RSA-2048", set(), set()),
        ("P-256", set(), set()),
        ("P-384", set(), set()),
        ("P-521", {"rustls-native"}, set()),
        ("RSA-PSS key", {"go", "rustls-native", "mbedtls"}, {"mbedtls"}),
        ("Ed25519", {"mbedtls"}, {"mbedtls"}),
        ("Ed448", {"go", "rustls-native", "mbedtls"}, {"mbedtls"}),
        ("brainpoolP256r1", {"gnutls", "go", "rustls-native", "java"}, set()),
        ("no signature", {"gnutls", "mbedtls"}, {"mbedtls"}),
        ("SM2", {"openssl-bundle", "gnutls", "go", "rustls-native", "java", "mbedtls"}, {"java", "mbedtls"}),
        ("ML-DSA-65", {"openssl-bundle", "gnutls", "go", "rustls-native", "java", "mbedtls"}, {"mbedtls"}),
        ("unknown", {"openssl-bundle", "gnutls", "go", "rustls-native", "java", "mbedtls"}, {"mbedtls"}),
    ],
)
def test_which_clients_cannot_parse_an_anchor(name: str, clients: set[str], losing_everything: set[str]):
    lost = found(name)
    assert set(lost) == clients
    assert {client for client, (_, everything) in lost.items() if everything} == losing_everything
    assert blinds_somebody(parse_certificate(root(name))) == bool(clients)


def test_the_version_of_the_rootfs_decides_and_is_named():
    new = {"/var/lib/dpkg/status": b"Package: libssl3t64\nVersion: 3.5.1-1\n"}
    assert "openssl-bundle" not in found("ML-DSA-65", new)
    old = {"/var/lib/dpkg/status": b"Package: libssl3\nVersion: 3.0.15-1\n"}
    assert "OpenSSL 3.0.15 (/var/lib/dpkg/status)" in found("ML-DSA-65", old)["openssl-bundle"][0]
    assert "and 3.0 is assumed" in found("ML-DSA-65")["openssl-bundle"][0]


@pytest.mark.parametrize(("version", "lost"), [("3.6.2-r1", True), ("2.28.8-r1", False)])
def test_a_key_that_only_an_older_mbed_tls_accepts_is_a_loss_of_that_anchor(version: str, lost: bool):
    packages = {"/usr/lib/opkg/status": f"Package: libmbedtls21\nVersion: {version}\n".encode()}
    clients = found("P-192", packages)
    assert ("mbedtls" in clients) == lost
    if lost:
        reason, everything = clients["mbedtls"]
        assert reason.startswith("Mbed TLS takes keys of P-192 before 3 only; the rootfs has Mbed TLS 3.6.2")
        assert not everything


def test_a_loss_of_several_clients_is_one():
    tree = MemoryTree({BUNDLE: File(encode(root("P-521"))), "/etc/tedge/tedge.toml": File(b"")})
    (loss,) = losses(FileReader(Device(tree)))
    assert loss.clients == ("rustls-native", "thin-edge-built-in-bridge", "thin-edge-https")
