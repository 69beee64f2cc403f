"""Anchors with keys and signatures of every algorithm: no command stumbles over one, and each is named."""

from __future__ import annotations

import base64

import pytest

from tests.limbo.algorithms import ALGORITHMS, UNSIGNED, certificate
from tests.support.debian_tree import DebianTree

MADE_HERE = tuple(name for name in ALGORITHMS if name != "SM2")  # which asks for a program of this machine
NAMES = {
    "RSA-2048": ("RSA 2048", "sha256WithRSAEncryption"),
    "RSA-PSS key": ("RSA-PSS 2048", "rsassaPss"),
    "P-521": ("EC 521", "ecdsa-with-SHA256"),
    "secp256k1": ("EC 256 secp256k1", "ecdsa-with-SHA256"),
    "brainpoolP384r1": ("EC 384 brainpoolP384r1", "ecdsa-with-SHA256"),
    "Ed25519": ("Ed25519 256", "Ed25519"),
    "Ed448": ("Ed448 456", "Ed448"),
    "ML-DSA-65": ("ML-DSA-65", "ML-DSA-65"),
    "no signature": ("EC 256", "none (RFC 9925)"),
    "unknown": ("1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.1"),
}


@pytest.fixture(scope="module")
def anchors() -> dict[str, bytes]:
    made = {}
    for name in MADE_HERE:
        key = ALGORITHMS[name]()
        der = certificate(
            f"Root of {name}", key, f"Root of {name}", UNSIGNED if name == "no signature" else key, ca=True
        )
        made[name] = b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % base64.encodebytes(der)
    return made


@pytest.fixture
def tree(tmp_path, command, anchors):
    tree = DebianTree(tmp_path / "rootfs")
    for name, pem in anchors.items():
        tree.write(f"usr/local/share/ca-certificates/{name.replace(' ', '-')}.crt", pem)
    (tree.path / "etc/ssl/certs/java").mkdir()
    assert command("install", "--root", tree.root).status == 0
    return tree


def test_each_is_named(tree, command):
    listed = command("list", "--root", tree.root, "--format", "json").document["anchors"]
    found = {each["subject"].removeprefix("CN=Root of "): (each["key"], each["signature"]) for each in listed}
    assert {name: found[name] for name in NAMES} == NAMES


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("check", "--at", "2026-11-01"),
        ("report", "-o", "-"),
        ("report", "-o", "-", "--format", "md"),
        ("sbom",),
        ("sbom", "--format", "spdx"),
    ],
    ids=" ".join,
)
def test_no_command_stumbles(tree, command, words):
    result = command(words[0], "--root", tree.root, *words[1:])
    assert result.status in ((0, 1) if words[0] == "check" else (0,))
    for name in ("ML-DSA-65", "secp256k1") if words[0] != "check" else ():
        assert name in result.out
