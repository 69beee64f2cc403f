"""An anchor that a client of the tree cannot read: `install` warns, `check` finds it, `verify` refuses by it."""

from __future__ import annotations

import base64

import pytest

from rootfs_trust.store.jks import keystore
from tests.limbo.algorithms import ALGORITHMS, certificate
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.unit.audit.test_unreadable_anchors import root

SERVER = "etc/ssl/certs/java/cacerts"


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % base64.encodebytes(der)


@pytest.fixture
def tree(tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("usr/lib/libmbedx509.so.1", b"")
    tree.write(
        "var/lib/dpkg/status", b"Package: libssl3\nVersion: 3.0.15-1\n\nPackage: libmbedx509-1\nVersion: 2.28.3-1\n"
    )
    return tree


def test_install_warns_and_check_finds_it(tree, command, tmp_path):
    key = ALGORITHMS["ML-DSA-44"]()
    anchor = tmp_path / "new-ca.pem"
    anchor.write_bytes(pem(certificate("New CA", key, "New CA", key, ca=True)))
    done = command("install", "--root", tree.root, "--cert", anchor, "--format", "json")
    assert done.status == 0
    told = [each["message"] for each in done.document["warnings"] if each["id"] == "client-cannot-read"]
    assert any("OpenSSL 3.0.15 (/var/lib/dpkg/status)" in each for each in told)
    assert any("mbedtls" in each and "Mbed TLS 2.28.3" in each and "no anchors at all" in each for each in told)
    findings = command("check", "--root", tree.root, "--format", "json").document["findings"]
    found = [each["message"] for each in findings if each["id"] == "client-cannot-read"]
    assert len(found) == len(told)
    assert all(each.startswith("new-ca: ") for each in found)


def test_an_ordinary_anchor_is_read_by_all(tree, command, tmp_path):
    (tmp_path / "ca.pem").write_bytes(Authority("Ordinary CA").pem)
    done = command("install", "--root", tree.root, "--cert", tmp_path / "ca.pem", "--format", "json")
    assert [each for each in done.document["warnings"] if each["id"] == "client-cannot-read"] == []
    findings = command("check", "--root", tree.root, "--format", "json").document["findings"]
    assert [each for each in findings if each["id"] == "client-cannot-read"] == []


@pytest.mark.usefixtures("openssl_engine")
def test_java_trusts_nothing_of_a_keystore_that_it_cannot_load(tree, command, tmp_path):
    authority = Authority("My CA")
    (tmp_path / "chain.pem").write_bytes(authority.server("device.test").pem)

    def verdict(*anchors: bytes) -> dict:
        tree.write(SERVER, keystore([(str(place), der) for place, der in enumerate(anchors)], 0))
        words = ("--chain", tmp_path / "chain.pem", "--client", "java", "--format", "json")
        return command("verify", "--root", tree.root, *words).document["verdicts"][0]

    assert verdict(authority.der)["trusted"]
    refused = verdict(authority.der, root("SM2"))
    assert (refused["trusted"], refused["id"]) == (False, "client")
    assert "Java rejects the whole keystore" in refused["reason"]
