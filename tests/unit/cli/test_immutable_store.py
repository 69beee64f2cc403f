"""Trees with a content-addressed store: nothing in it is ever written, whatever links lead to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.debian_tree import DebianTree, snapshot

SHIPPED = Authority("Shipped Root")
SETTING = {"nix": "security.pki.certificateFiles", "gnu": "packages of the operating-system"}


def nixos(root: Path) -> None:
    """As nixos/modules/system/etc makes /etc: each file by way of /etc/static."""
    store = root / "nix/store/abc-nss-cacert-3.108/etc/ssl/certs"
    store.mkdir(parents=True)
    (store / "ca-bundle.crt").write_bytes(SHIPPED.pem)
    certs = root / "nix/store/def-etc/etc/ssl/certs"
    certs.mkdir(parents=True)
    (certs / "ca-certificates.crt").symlink_to("/nix/store/abc-nss-cacert-3.108/etc/ssl/certs/ca-bundle.crt")
    (root / "etc/ssl/certs").mkdir(parents=True)
    (root / "etc/static").symlink_to("/nix/store/def-etc/etc")
    (root / "etc/ssl/certs/ca-certificates.crt").symlink_to("/etc/static/ssl/certs/ca-certificates.crt")
    (root / "etc/os-release").write_text("ID=nixos\n")


def guix(root: Path) -> None:
    """/etc/ssl is that of the system's profile."""
    store = root / "gnu/store/abc-ca-certificate-bundle/etc/ssl/certs"
    store.mkdir(parents=True)
    (store / "ca-certificates.crt").write_bytes(SHIPPED.pem)
    profile = root / "gnu/store/def-profile/etc"
    profile.mkdir(parents=True)
    (profile / "ssl").symlink_to("/gnu/store/abc-ca-certificate-bundle/etc/ssl")
    (root / "etc").mkdir()
    (root / "etc/ssl").symlink_to("/gnu/store/def-profile/etc/ssl")
    (root / "etc/os-release").write_text("ID=guix\n")


@pytest.fixture
def ca(tmp_path, authority) -> Path:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return tmp_path / "ca.pem"


@pytest.mark.parametrize(("make", "store"), [(nixos, "nix"), (guix, "gnu")])
@pytest.mark.parametrize("words", [("install", "--cert"), ("install", "--dry-run", "--cert"), ("remove",)])
def test_the_store_is_a_conflict_that_names_the_setting(tmp_path, ca, make, store, words):
    root = tmp_path / "rootfs"
    root.mkdir()
    make(root)
    before = snapshot(root)
    given = f"sha256:{SHIPPED.sha256}" if words == ("remove",) else ca
    done = rootfs_trust(*words, given, "--root", root, "--format", "json")
    assert done.returncode == 3, done.stderr
    (error,) = json.loads(done.stdout)["errors"]
    assert (error["id"], error["path"].startswith(f"/{store}/store/")) == ("conflict", True)
    assert SETTING[store] in error["hint"]
    assert snapshot(root) == before


@pytest.mark.parametrize("store", ["nix", "gnu"])
def test_any_layout_and_the_settings_too(tmp_path, ca, store):
    tree = DebianTree(tmp_path / "rootfs")
    certs = tree.path / store / "store/abc-etc/certs"
    certs.mkdir(parents=True)
    (tree.path / "etc/ssl/certs").rmdir()
    (tree.path / "etc/ssl/certs").symlink_to(f"/{store}/store/abc-etc/certs")
    (tree.path / store / "store/abc-etc/tedge.toml").write_text('[config]\nversion = "2"\n')
    (tree.path / "etc/tedge/tedge.toml").symlink_to(f"/{store}/store/abc-etc/tedge.toml")
    before = tree.snapshot()
    words = ("--cert", ca, "--set", "c8y.root_cert_path=/etc/ssl/certs/ca-certificates.crt", "--format", "json")
    done = rootfs_trust("install", "--root", tree.root, *words)
    assert done.returncode == 3, done.stdout
    paths = {each["path"] for each in json.loads(done.stdout)["errors"]}
    assert "/etc/ssl/certs/ca-certificates.crt" in paths
    assert any("tedge.toml" in path for path in paths)
    assert tree.snapshot() == before


def test_a_store_beside_a_distribution_is_not_a_conflict(tmp_path, ca):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("nix/store/abc-hello/bin/hello", b"")
    assert rootfs_trust("install", "--root", tree.root, "--cert", ca).returncode == 0
