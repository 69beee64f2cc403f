"""PKCS #12 trust stores against keytool: stores that it made are changed, and it reads what comes out."""

from __future__ import annotations

import subprocess

import pytest

from rootfs_trust.store.pkcs12 import read_pkcs12, trusted_bag, write_pkcs12
from tests.support.authority import Authority
from tests.support.peers import PLAIN_ENVIRONMENT, peer

KINDS = {
    "with a password": (),
    "without a password": ("certProtectionAlgorithm=NONE", "macAlgorithm=NONE"),
    "without encryption, with a MAC": ("certProtectionAlgorithm=NONE",),
    "PBES2 with AES-128 and SHA-512": ("certProtectionAlgorithm=PBEWithHmacSHA512AndAES_128",),
    "3DES and SHA-1": ("certProtectionAlgorithm=PBEWithSHA1AndDESede", "macAlgorithm=HmacPBESHA1"),
}
THEIRS, OURS = Authority("Theirs"), Authority("Ours")


def keytool(*words: object) -> str:
    command = [peer("keytool"), *map(str, words), "-storepass", "changeit"]
    done = subprocess.run(command, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def store(request, tmp_path):
    (tmp_path / "ca.pem").write_bytes(THEIRS.pem)
    path = tmp_path / "cacerts"
    options = [f"-J-Dkeystore.pkcs12.{option}" for option in request.param]
    words = ("-importcert", "-noprompt", "-alias", "theirs", "-file", tmp_path / "ca.pem", "-storetype", "PKCS12")
    keytool(*options, *words, "-keystore", path)
    return path


def test_keytool_reads_what_is_added(store):
    before = store.read_bytes()
    store.write_bytes(write_pkcs12(read_pkcs12(before).with_bags([trusted_bag("rootfs-trust:ours", OURS.der)])))
    shown = keytool("-list", "-rfc", "-keystore", store)
    assert "Your keystore contains 2 entries" in shown
    assert "Alias name: rootfs-trust:ours" in shown
    assert shown.count("Entry type: trustedCertEntry") == 2
    after = read_pkcs12(store.read_bytes()).without(lambda bag: bag.alias == "rootfs-trust:ours")
    assert write_pkcs12(after) == before


def test_keytool_reads_a_store_whose_last_entry_was_removed(store):
    store.write_bytes(write_pkcs12(read_pkcs12(store.read_bytes()).without(lambda bag: True)))
    assert "Your keystore contains 0 entries" in keytool("-list", "-storetype", "PKCS12", "-keystore", store)


def test_our_bag_is_the_one_that_keytool_writes(store):
    assert read_pkcs12(store.read_bytes()).bags == (trusted_bag("theirs", THEIRS.der),)
