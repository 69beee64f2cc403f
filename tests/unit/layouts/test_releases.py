"""Trees whose release differs from its family: which outputs and links install makes there."""

from __future__ import annotations

import pytest

from rootfs_trust import check, install, remove
from rootfs_trust.api.list_anchors import list_anchors
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import ConflictError
from rootfs_trust.layouts.with_p11kit import FEDORA
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import DAY, NOW, Authority

EXTRACTED = "etc/pki/ca-trust/extracted"
SIX_OUTPUTS = """#!/bin/sh
DEST=/etc/pki/ca-trust/extracted
/usr/bin/p11-kit extract --format=openssl-bundle --filter=certificates $DEST/openssl/ca-bundle.trust.crt
/usr/bin/p11-kit extract --format=pem-bundle --filter=ca-anchors --purpose server-auth $DEST/pem/tls-ca-bundle.pem
/usr/bin/p11-kit extract --format=java-cacerts --filter=ca-anchors --purpose server-auth $DEST/java/cacerts
"""
SHIPPED = '[p11-kit-object-v1]\nlabel: "{}"\ntrusted: true\nnss-mozilla-ca-policy: true\nmodifiable: false\n{}\n'


AL2023 = 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n'


class P11Tree:
    """A tree with p11-kit's directories and one shipped root."""

    def __init__(self, path, release: str, source: str, shipped: Authority, *directories: str) -> None:
        self.path, self.root = path, str(path)
        self.write("etc/os-release", release)
        self.write(source, SHIPPED.format("Shipped", shipped.pem.decode()))
        for folder in directories:
            (path / folder).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def has(self, name: str) -> bool:
        return (self.path / name).exists() or (self.path / name).is_symlink()


def fedora(path, release: str, shipped: Authority) -> P11Tree:
    source = "usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit"
    return P11Tree(path, release, source, shipped, "etc/pki/ca-trust/source/anchors", "etc/pki/tls/certs", "etc/ssl")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


SHIPPED_ROOT = Authority("Shipped Root", not_after=NOW + 10 * DAY)


@pytest.mark.parametrize("release", ["ID=mariner\nVERSION_ID=2.0\n", "ID=azurelinux\nVERSION_ID=3.0\n", AL2023])
def test_outputs_that_the_tool_of_the_tree_does_not_write_are_not_made(root, release):
    tree = fedora(root, release, SHIPPED_ROOT)
    tree.write("usr/bin/update-ca-trust", SIX_OUTPUTS)
    install(tree.root)
    made = {each.name for each in (root / EXTRACTED).rglob("*") if each.is_file()}
    assert made == {"ca-bundle.trust.crt", "tls-ca-bundle.pem", "cacerts"}


@pytest.mark.parametrize(
    ("release", "has"),
    [
        ("ID=mariner\nVERSION_ID=2.0\n", False),
        ("ID=azurelinux\nVERSION_ID=3.0\n", False),
        (AL2023, False),
        ("ID=fedora\nVERSION_ID=42\n", True),
    ],
)
def test_without_a_tool_the_release_decides(root, release, has):
    install(fedora(root, release, SHIPPED_ROOT).root)
    assert (root / EXTRACTED / "pem/directory-hash").exists() is has


@pytest.mark.parametrize(
    ("release", "has"),
    [
        ("ID=fedora\nVERSION_ID=43\n", True),
        ("ID=fedora\nVERSION_ID=44\n", False),
        ("ID=rhel\nVERSION_ID=9.6\n", True),
        ("ID=almalinux\nVERSION_ID=10.1\n", False),
    ],
)
def test_links_that_a_release_has_dropped_are_not_made(root, release, has):
    tree = fedora(root, release, SHIPPED_ROOT)
    install(tree.root)
    links = ("etc/pki/tls/cert.pem", "etc/pki/tls/certs/ca-bundle.crt")
    assert [tree.has(each) for each in links] == [has, has]
    hashed = [each for each in (root / "etc/pki/tls/certs").iterdir() if each.suffix == ".0"]
    assert bool(hashed) is not has
    assert not install(tree.root).changed


SOURCES = {
    "fedora": ("ID=fedora\nVERSION_ID=41\n", "usr/share/pki/ca-trust-source/x.p11-kit", "etc/pki/ca-trust/source"),
    "suse": ("ID=opensuse-leap\nID_LIKE=suse\n", "usr/share/pki/trust/x.p11-kit", "etc/pki/trust/anchors"),
    "arch": (
        "ID=arch\n",
        "usr/share/ca-certificates/trust-source/x.p11-kit",
        "etc/ca-certificates/trust-source/anchors",
    ),
}


@pytest.mark.parametrize("family", SOURCES)
def test_what_a_package_of_p11_kit_brings_is_shipped(root, family):
    release, source, folder = SOURCES[family]
    tree = P11Tree(root, release, source, SHIPPED_ROOT, folder, "etc/ssl")
    install(tree.root)
    assert {each.origin for each in list_anchors(tree.root)} == {"distribution"}
    levels = {each.level for each in check(tree.root, check_at(NOW + 20 * DAY)) if each.id == "expired"}
    assert levels == {"note"}


def check_at(moment):
    from rootfs_trust import CheckOptions

    return CheckOptions(at=moment)


def test_a_tree_of_ostree_gets_no_etc_beside_usr_etc(root, tmp_path):
    tree = fedora(root, "ID=fedora\nVERSION_ID=42\n", SHIPPED_ROOT)
    install(tree.root)
    (root / "etc").rename(root / "usr/etc")
    anchor = tmp_path / "own.pem"
    anchor.write_bytes(Authority().pem)
    with pytest.raises(ConflictError, match="/usr/etc: is what OSTree creates /etc from"):
        install(tree.root, InstallOptions(certs=[str(anchor)]))
    assert not tree.has("etc")
    assert "no-store" not in {each.id for each in check(tree.root)}
    assert [each.certificate.sha256 for each in list_anchors(tree.root)] == [SHIPPED_ROOT.sha256]


def test_the_family_itself_stays_whole():
    assert FEDORA.hash_directory and FEDORA.tool.mirror


def test_every_bundle_that_is_a_file_of_its_own_gets_the_anchor_and_loses_it(root, tmp_path):
    bundle, copy = root / EXTRACTED / "pem/tls-ca-bundle.pem", root / "etc/pki/tls/cert.pem"
    for path in (bundle, copy):
        path.parent.mkdir(parents=True)
        path.write_bytes(SHIPPED_ROOT.pem)
    (root / "etc/os-release").write_text("ID=azurelinux\nVERSION_ID=3.0\n")
    (tmp_path / "own.pem").write_bytes(Authority("Own CA").pem)
    install(str(root), InstallOptions(certs=[str(tmp_path / "own.pem")]))
    assert copy.read_bytes() == bundle.read_bytes() == SHIPPED_ROOT.pem + (tmp_path / "own.pem").read_bytes()
    assert not install(str(root), InstallOptions(certs=[str(tmp_path / "own.pem")])).changed
    remove(str(root), ["Own_CA"])
    assert copy.read_bytes() == bundle.read_bytes() == SHIPPED_ROOT.pem


def test_the_bundle_of_a_nix_image_is_a_store(root, tmp_path):
    bundle = root / "etc/ssl/certs/ca-bundle.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(SHIPPED_ROOT.pem)
    (tmp_path / "own.pem").write_bytes(Authority("Own CA").pem)
    assert install(str(root), InstallOptions(certs=[str(tmp_path / "own.pem")])).layout == "bundle-only"
    assert bundle.read_bytes() == SHIPPED_ROOT.pem + (tmp_path / "own.pem").read_bytes()
    assert [each.outputs for each in list_anchors(str(root))] == [("bundle",)] * 2
    assert "no-store" not in {each.id for each in check(str(root))}


def test_the_directory_of_opensuses_openssl_is_listed_and_checked(root, tmp_path):
    release, source, folder = SOURCES["suse"]
    tree = P11Tree(root, release, source, SHIPPED_ROOT, folder, "etc/ssl")
    (tmp_path / "own.pem").write_bytes(Authority("Own CA").pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "own.pem")]))
    directory = root / "var/lib/ca-certificates/openssl"
    assert not {each.level for each in check(tree.root)} - {"note"}
    by_hand = Authority("By Hand")
    (directory / "by-hand.pem").write_bytes(by_hand.pem)
    (directory / f"{parse_certificate(by_hand.der).subject.hash}.0").symlink_to("by-hand.pem")
    assert by_hand.sha256 in {each.certificate.sha256 for each in list_anchors(tree.root)}
    for each in directory.iterdir():
        each.unlink()
    assert "/var/lib/ca-certificates/openssl" in {each.path for each in check(tree.root) if each.level == "error"}


@pytest.mark.parametrize(("roots", "told"), [("most", True), ("one by hand", False)])
def test_a_hash_directory_that_nobody_maintains_is_named(root, tmp_path, roots, told):
    """Azure Linux 2 with ca-certificates-legacy; on RHEL people make a link or two by hand."""
    tree = fedora(root, "ID=mariner\nVERSION_ID=2.0\n", SHIPPED_ROOT)
    others = [Authority(f"Root {number}") for number in range(4)]
    for number, each in enumerate(others):
        shipped = SHIPPED.format(f"Root {number}", each.pem.decode())
        tree.write(f"usr/share/pki/ca-trust-source/{number}.p11-kit", shipped)
    for each in others if roots == "most" else others[:1]:
        digits = parse_certificate(each.der).subject.hash
        tree.write(f"etc/pki/tls/certs/{digits}.pem", each.pem.decode())
        (root / f"etc/pki/tls/certs/{digits}.0").symlink_to(f"{digits}.pem")
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    outcome = install(tree.root, InstallOptions([str(tmp_path / "my-ca.pem")]))
    found = [each.path for each in outcome.warnings if each.id == "hash-directory-apart"]
    assert found == (["/etc/pki/tls/certs"] if told else [])
