"""The system's Java store in trees whose layout has no tool for it, and the checksums of apko beside the stores."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.x509 import load_der_x509_certificate

from rootfs_trust import InstallOptions, check, install, remove
from rootfs_trust.clients.pkcs12 import keystore_certificates
from rootfs_trust.errors import InputError
from rootfs_trust.store.jks import keystore, read_keystore
from rootfs_trust.store.pkcs12 import read_pkcs12
from tests.support.authority import Authority
from tests.support.layout_trees import CREATED, FAMILIES, SHIPPED, LayoutTree, shipped_authority

MINE = Authority("My CA")
STORE = "etc/ssl/certs/java/cacerts"
OTHER_STORE = "etc/pki/java/cacerts"


def jks() -> bytes:
    return keystore(((name.lower(), shipped_authority(name).der) for name in SHIPPED), CREATED)


def java_pkcs12() -> bytes:
    entries = [
        pkcs12.PKCS12Certificate(load_der_x509_certificate(shipped_authority(name).der), name.encode())
        for name in SHIPPED
    ]
    return pkcs12.serialize_java_truststore(entries, NoEncryption())


FORMATS = pytest.mark.parametrize("content", [jks, java_pkcs12], ids=["jks", "pkcs12"])
LAYOUTS = [
    each for each in FAMILIES if each.name in ("alpine", "bundle-only", "yocto", "gentoo", "buildroot", "photon")
]


@pytest.fixture(params=LAYOUTS, ids=lambda family: family.name)
def tree(request, tmp_path):
    (tmp_path / "my-ca.pem").write_bytes(MINE.pem)
    return LayoutTree(tmp_path / "root", request.param)


def installed(tree, **options):
    return install(tree.root, InstallOptions([str(tree.path.parent / "my-ca.pem")], **options))


def held(tree, path=STORE):
    return {each.sha256 for each in keystore_certificates((tree.path / path).read_bytes())}


ALL = {shipped_authority(name).sha256 for name in SHIPPED}


@FORMATS
@pytest.mark.parametrize("path", [STORE, OTHER_STORE])
def test_an_anchor_is_in_javas_store_and_leaves_it(tree, content, path):
    tree.write(path, content())
    installed(tree)
    assert held(tree, path) == ALL | {MINE.sha256}
    assert [each for each in check(tree.root) if "java" in each.id] == []
    assert installed(tree).actions == ()
    remove(tree.root, [f"sha256:{MINE.sha256}"])
    assert held(tree, path) == ALL


@FORMATS
def test_a_shipped_root_leaves_it_too(tree, content):
    tree.write(STORE, content())
    gone = shipped_authority(SHIPPED[0]).sha256
    remove(tree.root, [f"sha256:{gone}"])
    assert held(tree) == ALL - {gone}


def test_entries_of_others_keep_their_names_dates_and_order(tree):
    tree.write(STORE, jks())
    installed(tree)
    before, after = read_keystore(jks()), read_keystore((tree.path / STORE).read_bytes())
    assert after[: len(before)] == before
    assert [entry.alias for entry in after[len(before) :]] == ["rootfs-trust:my-ca"]


def test_a_store_of_anchors_only_holds_nothing_else(tree, tmp_path):
    tree.write(STORE, jks())
    config = tmp_path / "rootfs-trust.toml"
    config.write_text('[store]\nbase = "none"\n[[anchor]]\nfile = "my-ca.pem"\n')
    install(tree.root, InstallOptions(config=str(config)))
    assert held(tree) == {MINE.sha256}


def test_a_jdks_link_to_it_is_served_by_it(tree):
    tree.write(STORE, jks())
    tree.link("usr/lib/jvm/java-21/lib/security/cacerts", f"/{STORE}")
    installed(tree)
    assert MINE.sha256 in held(tree, "usr/lib/jvm/java-21/lib/security/../../../../../../" + STORE)
    assert (tree.path / "usr/lib/jvm/java-21/lib/security/cacerts").is_symlink()


def test_one_that_cannot_be_read_is_left_alone_with_a_warning(tree):
    tree.write(STORE, b"garbage")
    assert "java-store-format" in {each.id for each in installed(tree).warnings}
    assert (tree.path / STORE).read_bytes() == b"garbage"


def test_no_store_is_made(tree):
    installed(tree)
    assert not (tree.path / STORE).exists()


# -- checksum files ----------------------------------------------------------------------------------------------

BUNDLE = "etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def apko(tmp_path):
    """An image as apko leaves it: Wolfi's bundle, a Java store, and a checksum beside each."""
    (tmp_path / "my-ca.pem").write_bytes(MINE.pem)
    tree = LayoutTree(tmp_path / "root", next(each for each in FAMILIES if each.name == "bundle-only"))
    tree.write("etc/os-release", b"ID=wolfi\n")
    tree.write(STORE, jks())
    for path in (BUNDLE, STORE):
        tree.write(checksum_file(path), checksum(tree, path))
        (tree.path / checksum_file(path)).chmod(0o444)
    return tree


def checksum_file(path):
    directory, _, name = path.rpartition("/")
    return f"{directory}/.{name}.sha256"


def checksum(tree, path):
    return f"{sha256((tree.path / path).read_bytes()).hexdigest()}  {path.rpartition('/')[2]}\n".encode()


def test_the_checksums_are_those_of_the_changed_stores(apko):
    before = (apko.path / checksum_file(BUNDLE)).read_bytes()
    installed(apko)
    for path in (BUNDLE, STORE):
        assert (apko.path / checksum_file(path)).read_bytes() == checksum(apko, path)
        assert (apko.path / checksum_file(path)).stat().st_mode & 0o777 == 0o444
    assert (apko.path / checksum_file(BUNDLE)).read_bytes() != before
    assert installed(apko).actions == ()
    remove(apko.root, [f"sha256:{MINE.sha256}"])
    assert (apko.path / checksum_file(BUNDLE)).read_bytes() == before == checksum(apko, BUNDLE)


def test_no_checksum_is_made_where_there_is_none(apko):
    (apko.path / checksum_file(BUNDLE)).unlink()
    installed(apko)
    assert not (apko.path / checksum_file(BUNDLE)).exists()


def test_a_checksum_that_a_change_by_hand_has_left_behind_is_found(apko):
    apko.write(BUNDLE, (apko.path / BUNDLE).read_bytes() + MINE.pem)
    found = [each for each in check(apko.root) if each.id == "checksum-stale"]
    assert [each.path for each in found] == [f"/{checksum_file(BUNDLE)}"]
    install(apko.root)
    assert "checksum-stale" not in {each.id for each in check(apko.root)}


def test_a_removal_of_what_nobody_has_is_refused(apko):
    with pytest.raises(InputError):
        remove(apko.root, [f"sha256:{MINE.sha256}"])


def test_pkcs12_stays_pkcs12(apko):
    apko.write(STORE, java_pkcs12())
    installed(apko)
    assert "rootfs-trust:my-ca" in {bag.alias for bag in read_pkcs12((apko.path / STORE).read_bytes()).bags}
