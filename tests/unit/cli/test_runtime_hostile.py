"""Stores of runtimes that are damaged, hostile or hold a key: ``--runtimes`` says so once, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import struct
import time
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from rootfs_trust.runtimes.pem_block import BEGIN
from rootfs_trust.store.jks import KeystoreEntry, write_keystore
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, trusted_bag, write_pkcs12
from rootfs_trust.x509.der import INTEGER, encode
from tests.support.authority import Authority
from tests.unit.clients.test_pkcs12 import hostile

THEIRS = Authority("Theirs")
JDK = "opt/jdk/lib/security/cacerts"
CERTIFI = "opt/app/lib/python3.11/site-packages/certifi/cacert.pem"
CASTORE = "opt/app/lib/castore-1.0.5/priv/cacerts.pem"
CHROMIUM, FIREFOX = "etc/chromium/policies/managed/corp.json", "etc/firefox/policies/policies.json"
JKS = write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)])
BASE64 = b64encode(THEIRS.der).decode()


def bags(names: list[str]) -> Safe:
    return Safe(tuple(trusted_bag(name, THEIRS.der) for name in names))


PLAIN = write_pkcs12(Pkcs12((bags(["theirs"]),), None))


def with_key(encryption) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"x", THEIRS.key, THEIRS.certificate, None, encryption)


def private_key_in_jks() -> bytes:
    """The store with the tag of its entry changed, and its digest made again."""
    body = JKS[:12] + struct.pack(">I", 1) + JKS[16:-20]
    return body + hashlib.sha1("changeit".encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def bags_in_bags() -> bytes:
    safe = encode(0x30, bytes.fromhex("060b2a864886f70d010c0a0106") + encode(0xA0, encode(0x30, b"")))
    data = bytes.fromhex("06092a864886f70d010701")
    inner = encode(0x30, data + encode(0xA0, encode(4, encode(0x30, safe))))
    return encode(0x30, encode(INTEGER, b"\3") + encode(0x30, data + encode(0xA0, encode(4, encode(0x30, inner)))))


CASES = {
    "a private key in PKCS #12": (JDK, with_key(NoEncryption()), "private key"),
    "an encrypted private key": (JDK, with_key(BestAvailableEncryption(b"changeit")), "private key"),
    "a private key in JKS": (JDK, private_key_in_jks(), "private key"),
    "a private key in certifi's file": (CERTIFI, THEIRS.pem + THEIRS.key_pem, "private key"),
    "another password, JKS": (JDK, write_keystore([KeystoreEntry("x", 0, THEIRS.der)], "secret"), "another password"),
    "another password, PKCS #12": (
        JDK,
        pkcs12.serialize_key_and_certificates(
            None, None, None, [THEIRS.certificate], BestAvailableEncryption(b"secret")
        ),
        "another password",
    ),
    "a changed byte, JKS": (JDK, JKS[:-30] + b"!" + JKS[-29:], "damaged"),
    "hours of key derivation": (JDK, hostile(2**31 - 1), "iterations"),
    "cut short, JKS": (JDK, JKS[:-30], "truncated"),
    "cut short, PKCS #12": (JDK, PLAIN[:-30], ""),
    "bags in bags": (JDK, bags_in_bags(), "bags in bags"),
    "elements in elements": (JDK, b"\x30\x80" * 10_000, ""),
    "a policy of Chromium that is not JSON": (CHROMIUM, b"{nope", "not a JSON file"),
    "a policy of Firefox that is not JSON": (FIREFOX, b"{nope", "not a JSON file"),
    "a private key in castore's file": (CASTORE, THEIRS.pem + THEIRS.key_pem, "private key"),
    "a block of ours that was changed": (CASTORE, THEIRS.pem + BEGIN + THEIRS.pem, "block of rootfs-trust"),
    "a policy of brackets": (CHROMIUM, b"[" * 100_000, "not a JSON file"),
}


@pytest.fixture
def tree(debian):
    debian.write("usr/bin/chromium", b"")
    debian.write("usr/lib/firefox/firefox", b"")
    return debian


@pytest.fixture
def run(command, tree, tmp_path):
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    words = ("--cert", tmp_path / "my-ca.pem", "--runtimes", "auto", "--format", "json")
    return lambda: command("install", "--root", tree.path, *words)


@pytest.mark.parametrize(("path", "content", "said"), CASES.values(), ids=CASES)
def test_it_is_one_error_and_nothing_is_written(tree, run, path, content, said):
    tree.write(path, content)
    before = tree.snapshot()
    begin = time.process_time()
    result = run()
    assert (result.status, result.errors) == (3, [("conflict", f"/{path}")])
    assert said in result.document["errors"][0]["message"]
    hint = result.document["errors"][0]["hint"]
    assert "java_password_file" in hint if "password" in said else hint
    assert tree.snapshot() == before
    assert time.process_time() - begin < 5


MANY = [f"a{number}" for number in range(10_000)]
STORES = {
    "JKS": (JDK, lambda: write_keystore(KeystoreEntry(name, 0, THEIRS.der) for name in MANY)),
    "PKCS #12": (JDK, lambda: write_pkcs12(Pkcs12((bags(MANY),), None))),
    "certifi": (CERTIFI, lambda: THEIRS.pem * len(MANY)),
    "castore": (CASTORE, lambda: THEIRS.pem * len(MANY)),
    "Chromium": (CHROMIUM, lambda: json.dumps({"CACertificates": [BASE64] * len(MANY)}).encode()),
    "Firefox": (FIREFOX, lambda: json.dumps({"policies": {"Certificates": {"Install": MANY}}}).encode()),
}


@pytest.mark.parametrize(("path", "content"), STORES.values(), ids=STORES)
def test_a_store_of_ten_thousand_entries_takes_seconds(tree, run, path, content):
    tree.write(path, content())
    begin = time.process_time()
    assert run().document["changed"]
    assert not run().document["changed"]
    assert time.process_time() - begin < 30
