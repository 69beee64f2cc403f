"""Trees that people have reported in public trackers, and what ``check`` and its fixes do there."""

from __future__ import annotations

import pytest

from rootfs_trust import InstallOptions, install
from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority
from tests.support.layout_trees import ALPHA, BETA, CREATED, FAMILIES, LayoutTree, shipped_authority
from tests.unit.audit.good_tree import hash_of

CA, SECOND = Authority("My CA"), Authority("Second CA")
BY_NAME = {family.name: family for family in FAMILIES}
LOCAL, CERTS = "usr/local/share/ca-certificates", "etc/ssl/certs"
BUNDLE = f"{CERTS}/ca-certificates.crt"


@pytest.fixture
def tree_of(tmp_path):
    """The tree of a layout with its store; ``anchor``: with a private CA."""

    def build(name: str, *, anchor: bool = False) -> LayoutTree:
        tree = LayoutTree(tmp_path / "tree", BY_NAME[name])
        (tmp_path / "my-ca.pem").write_bytes(CA.pem)
        install(tree.root, InstallOptions(certs=[str(tmp_path / "my-ca.pem")] if anchor else []))
        return tree

    return build


@pytest.fixture
def found(command):
    """The ids and paths of what is found; notes are left out unless they are asked for."""

    def run(tree, *, notes=False):
        document = command("check", "--root", tree.root, "--format", "json").document
        return [(each["id"], each["path"]) for each in document["findings"] if notes or each["level"] != "note"]

    return run


@pytest.fixture
def fixed(command):
    """Runs ``install`` on the tree, which is what people do first; the exit status."""
    return lambda tree, *words: command("install", "--root", tree.root, *words).status


def test_stores_of_applications_are_found_only_for_installed_anchors(tree_of, found):
    tree = tree_of("fedora")
    tree.write("usr/bin/node", b"\0")
    tree.write("usr/lib/python3.13/site-packages/certifi/cacert.pem", shipped_authority(ALPHA).pem)
    tree.write("opt/jdk/lib/security/cacerts", keystore([("a", shipped_authority(BETA).der)], CREATED))
    assert found(tree) == []


@pytest.mark.parametrize(
    ("id_", "file"),
    [
        ("certifi-store", "opt/app/venv/lib/python3.11/site-packages/certifi/cacert.pem"),
        ("certifi-store", "usr/local/lib/python3.12/dist-packages/pip/_vendor/certifi/cacert.pem"),
        ("certifi-store", "srv/tool/lib/python3.9/site-packages/botocore/cacert.pem"),
    ],
)
def test_they_are_found_wherever_they_are(tree_of, found, id_, file):
    tree = tree_of("debian", anchor=True)
    tree.write(file, shipped_authority(ALPHA).pem)
    assert found(tree) == [(id_, f"/{file}")]


def test_a_java_store_without_an_entry(tree_of, found):
    tree = tree_of("debian")
    tree.write(f"{CERTS}/java/cacerts", keystore([], CREATED))
    assert ("java-store-empty", f"/{CERTS}/java/cacerts") in found(tree)


def test_a_java_store_that_is_a_link_to_the_bundle(tree_of, found, fixed):
    tree = tree_of("debian")
    (tree.path / CERTS / "java/cacerts").unlink()
    tree.link(f"{CERTS}/java/cacerts", f"/{BUNDLE}")
    assert found(tree) == [("java-store-unreadable", f"/{CERTS}/java/cacerts")]
    (tree.path / CERTS / "java/cacerts").unlink()
    assert (fixed(tree), found(tree)) == (0, [])


def test_openwrt_with_ca_bundle_has_no_warning_after_install(tree_of, found, fixed, tmp_path):
    tree = tree_of("openwrt")
    for path in (tree.path / CERTS).iterdir():
        path.unlink()
    tree.write(BUNDLE, b"".join(shipped_authority(name).pem for name in (ALPHA, BETA)))
    assert found(tree) == []
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    assert (fixed(tree, "--cert", tmp_path / "my-ca.pem"), found(tree)) == (0, [])
    assert ("not-in-directory", f"/{CERTS}") in found(tree, notes=True)


def test_a_hash_link_made_by_hand_says_nothing_about_the_shipped_roots(tree_of, found, fixed):
    tree = tree_of("fedora")
    tree.write("etc/pki/tls/certs/example.crt", CA.pem)
    tree.link(f"etc/pki/tls/certs/{hash_of(CA)}.0", "example.crt")
    assert found(tree, notes=True) == [("only-in-directory", "/etc/pki/tls/certs/example.crt")]
    assert fixed(tree, "--cert", tree.path / "etc/pki/tls/certs/example.crt") == 0
    assert found(tree) == []


@pytest.mark.parametrize(
    ("name", "bundle"),
    [
        ("fedora", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
        ("suse", "var/lib/ca-certificates/ca-bundle.pem"),
        ("debian", BUNDLE),
    ],
)
def test_a_certificate_of_the_bundle_alone_is_kept_by_giving_it(tree_of, found, fixed, tmp_path, name, bundle):
    tree = tree_of(name)
    file = tree.path / bundle
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + CA.pem)
    assert ("unsourced", f"/{bundle}") in found(tree)
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    assert (fixed(tree, "--cert", tmp_path / "my-ca.pem"), found(tree)) == (0, [])


def test_a_certificate_in_the_bundle_and_in_the_hash_directory_has_no_source(tree_of, found):
    tree = tree_of("debian")
    tree.write(f"{CERTS}/ca.cert.pem", CA.pem)
    tree.link(f"{CERTS}/{hash_of(CA)}.0", f"/{CERTS}/ca.cert.pem")
    tree.write(BUNDLE, (tree.path / BUNDLE).read_bytes() + CA.pem)
    assert ("unsourced", f"/{BUNDLE}") in found(tree)


def test_a_bundle_that_alpines_tool_never_writes(tree_of, found, fixed):
    tree = tree_of("alpine", anchor=True)
    (tree.path / "etc/ssl/cert.pem").unlink()
    tree.write("etc/ssl/cert.pem", (tree.path / BUNDLE).read_bytes().replace(CA.pem, b""))
    assert found(tree) == [("bundle-apart", "/etc/ssl/cert.pem")]
    (tree.path / "etc/ssl/cert.pem").unlink()
    tree.link("etc/ssl/cert.pem", "certs/ca-certificates.crt")
    assert found(tree) == []


def test_a_file_where_the_local_directory_has_to_be(tree_of, found, fixed):
    tree = tree_of("debian")
    (tree.path / LOCAL).rmdir()
    tree.write(LOCAL, CA.pem)
    assert found(tree) == [("source-not-a-directory", f"/{LOCAL}")]
    assert fixed(tree) == 3


def test_an_empty_anchor_of_p11_kit(tree_of, found, fixed):
    tree = tree_of("fedora")
    tree.write("etc/pki/ca-trust/source/anchors/tls-ca-bundle.pem", b"")
    assert found(tree) == [("no-certificate", "/etc/pki/ca-trust/source/anchors/tls-ca-bundle.pem")]
    assert fixed(tree) == 3


@pytest.mark.parametrize(
    ("id_", "name", "content"),
    [
        ("ignored-source", "own.cer", CA.pem),
        ("der", "own.crt", CA.der),
        ("several-certificates", "server.crt", CA.pem + SECOND.pem),
    ],
)
def test_one_file_is_one_finding_and_install_brings_no_other(tree_of, found, fixed, id_, name, content):
    tree = tree_of("debian")
    tree.write(f"{LOCAL}/{name}", content)
    assert found(tree) == [(id_, f"/{LOCAL}/{name}")]
    fixed(tree)
    assert {id_ for id_, _ in found(tree)} <= {"ignored-source", "der", "several-certificates"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_store_that_install_has_just_made_has_no_finding_above_a_note(command, tmp_path, family):
    tree = LayoutTree(tmp_path / "rootfs", family)
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    assert command("install", "--root", tree.root, "--cert", tmp_path / "my-ca.pem").status == 0
    document = command("check", "--root", tree.root, "--format", "json").document
    assert [each for each in document["findings"] if each["level"] != "note"] == []
