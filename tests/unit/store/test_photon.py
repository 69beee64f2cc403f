"""Photon OS: an anchor is a file of the hash directory, and what the package does at its updates is reported."""

from __future__ import annotations

import pytest

from rootfs_trust import InstallOptions, install, remove
from rootfs_trust.errors import ConflictError
from rootfs_trust.x509 import parse_certificate, read_objects
from tests.support.authority import DAY, NOW, Authority
from tests.support.layout_trees import ALPHA, FAMILIES, LayoutTree, shipped_authority

PHOTON = next(family for family in FAMILIES if family.name == "photon")
BUNDLE = "etc/pki/tls/certs/ca-bundle.crt"
MINE = Authority("My CA")


@pytest.fixture
def tree(tmp_path):
    return LayoutTree(tmp_path / "root", PHOTON)


def installed(tree, tmp_path, **options):
    (tmp_path / "my-ca.pem").write_bytes(MINE.pem)
    return install(tree.root, InstallOptions([str(tmp_path / "my-ca.pem")], **options))


def held(tree):
    return {each.sha256 for _, each in read_objects((tree.path / BUNDLE).read_bytes()).certificates}


def warnings(outcome):
    return [each.id for each in outcome.warnings]


def test_an_anchor_is_a_file_that_the_devices_script_finds(tree, tmp_path):
    outcome = installed(tree, tmp_path)
    assert outcome.layout == "photon"
    assert (tree.path / "etc/ssl/certs/my-ca.pem").read_bytes() == MINE.pem
    link = tree.path / "etc/ssl/certs" / f"{parse_certificate(MINE.der).subject.hash}.0"
    assert link.readlink().name == "my-ca.pem"
    assert MINE.sha256 in held(tree)
    assert warnings(outcome) == []


def test_an_expired_root_that_only_the_bundle_holds_may_go(tree, tmp_path):
    old = Authority("Old Root", not_after=NOW - DAY)
    tree.write(BUNDLE, (tree.path / BUNDLE).read_bytes() + old.pem)
    installed(tree, tmp_path, at=NOW)
    assert held(tree) == {MINE.sha256, *(shipped_authority(name).sha256 for name in (ALPHA, "Beta Root"))} | {
        shipped_authority("Gamma Root (2), Ltd").sha256
    }


def test_another_one_is_a_conflict(tree, tmp_path):
    appended = Authority("Appended by hand", not_after=NOW + DAY)
    tree.write(BUNDLE, (tree.path / BUNDLE).read_bytes() + appended.pem)
    with pytest.raises(ConflictError, match=appended.sha256):
        installed(tree, tmp_path, at=NOW)
    installed(tree, tmp_path, at=NOW, drop_unsourced=True)
    assert appended.sha256 not in held(tree)


def test_the_removal_of_a_shipped_root_says_that_an_update_brings_it_back(tree):
    assert "package-restores" in warnings(remove(tree.root, [f"sha256:{shipped_authority(ALPHA).sha256}"]))


def test_the_removal_of_an_anchor_does_not(tree, tmp_path):
    installed(tree, tmp_path)
    assert warnings(remove(tree.root, ["my-ca"])) == []


def test_a_file_without_a_newline_at_its_end_is_in_the_bundle_whole(tree):
    tree.write("etc/ssl/certs/corp.pem", MINE.pem.rstrip(b"\n"))
    outcome = install(tree.root)
    assert warnings(outcome) == ["pem-not-clean"]
    assert MINE.sha256 in held(tree)
    assert install(tree.root, InstallOptions(adopt=True)).changed
    assert warnings(install(tree.root)) == []


def test_an_image_with_the_bundle_alone_is_bundle_only(tree):
    (tree.path / "usr/bin/remove-expired-certs.sh").unlink()
    for each in (tree.path / "etc/ssl/certs").iterdir():
        each.unlink()
    assert install(tree.root).layout == "bundle-only"
