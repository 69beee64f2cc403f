"""What thin-edge.io's pages on cloud certificates have people do on a device, done to the image instead.

The four settings, each set to a directory and directly to a file; a root added to a Debian-family device; the check
that it is there; the hash links that an OpenSSL without ``rehash`` cannot make. Judged by the tree's own programs.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.trees import CONF, HASH_LINK, LOCAL, STORE, RealTree

BUNDLE = f"/{STORE}/ca-certificates.crt"
OWN_DIRECTORY = "/data/certs"
ROOT_CERT_PATHS = ("c8y.root_cert_path", "aws.root_cert_path", "az.root_cert_path")
DIRECTORIES = (f"/{STORE}", OWN_DIRECTORY)
FILES = (BUNDLE, f"/{STORE}/my-ca.pem", f"/{LOCAL}/my-ca.crt", f"{OWN_DIRECTORY}/own.pem")


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    file = tmp_path / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture
def tree(new_small_tree: Callable[..., RealTree], authority: Authority) -> RealTree:
    """A Debian with a directory of the user's own, and a server's certificate to verify."""
    tree = new_small_tree()
    tree.write(f"{OWN_DIRECTORY[1:]}/own.pem", authority.pem)
    tree.write("tmp/server.pem", authority.server("c8y.example").pem)
    return tree


def settings_of(tree: RealTree) -> dict[str, str]:
    """Every setting of tedge.toml by its dotted key."""
    found: dict[str, str] = {}

    def look(table: dict[str, object], prefix: str) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                look(value, f"{prefix}{key}.")
            else:
                found[f"{prefix}{key}"] = str(value)

    look(tomllib.loads((tree.path / "etc/tedge/tedge.toml").read_text()), "")
    return found


def verifies(tree: RealTree, path: str) -> bool:
    """Whether the tree's OpenSSL trusts the server by ``path`` alone, read as mosquitto reads a directory or a file."""
    option = "-CApath" if (tree.path / path[1:]).is_dir() else "-CAfile"
    alone = ("-no-CApath", "-no-CAstore") if option == "-CAfile" else ("-no-CAfile", "-no-CAstore")
    done = tree.run("openssl", "verify", *alone, option, path, "/tmp/server.pem", check=False)
    return done.returncode == 0


# -- the four settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", (*DIRECTORIES, *FILES))
def test_each_root_cert_path_takes_a_directory_or_a_file(tree: RealTree, ca_file: Path, path: str):
    rootfs_trust("rehash", tree.path / OWN_DIRECTORY[1:])
    options = [f"--set={key}={path}" for key in ROOT_CERT_PATHS]
    install(tree.path, "--cert", ca_file, *options)
    assert settings_of(tree) == {"config.version": "2", **dict.fromkeys(ROOT_CERT_PATHS, path)}
    assert verifies(tree, path)


@pytest.mark.parametrize("path", DIRECTORIES)
def test_the_proxys_path_takes_a_directory(tree: RealTree, ca_file: Path, path: str):
    install(tree.path, "--cert", ca_file, f"--set=c8y.proxy.ca_path={path}")
    assert settings_of(tree) == {"config.version": "2", "c8y.proxy.ca_path": path}


@pytest.mark.parametrize("path", FILES)
def test_the_proxys_path_takes_no_file(tree: RealTree, ca_file: Path, path: str):
    before = tree.store()
    done = rootfs_trust(
        "install", "--root", tree.path, "--cert", ca_file, f"--set=c8y.proxy.ca_path={path}", "--format=json"
    )
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert error["id"] == "thin-edge-setting"
    assert error["message"] == f"c8y.proxy.ca_path: {path} is a file, and thin-edge.io needs a directory here"
    assert tree.store() == before and not (tree.path / "etc/tedge").exists()


def test_a_cloud_sets_its_own(tree: RealTree, ca_file: Path):
    install(tree.path, "--cert", ca_file, "--cloud=c8y", "--cloud=aws", "--cloud=az")
    keys = (*ROOT_CERT_PATHS, "c8y.proxy.ca_path")
    assert settings_of(tree) == {"config.version": "2", **dict.fromkeys(keys, f"/{STORE}")}


def test_a_directory_is_refused_until_it_has_hash_links(tree: RealTree):
    """Without them mosquitto finds nothing in it: what most users of a directory of their own run into."""
    wanted = ("install", "--root", tree.path, f"--set=c8y.root_cert_path={OWN_DIRECTORY}")
    assert not verifies(tree, OWN_DIRECTORY)
    refused = rootfs_trust(*wanted)
    assert (refused.returncode, b"rootfs-trust rehash" in refused.stderr) == (2, True)
    assert rootfs_trust("rehash", tree.path / OWN_DIRECTORY[1:]).returncode == 0
    assert rootfs_trust(*wanted).returncode == 0
    assert verifies(tree, OWN_DIRECTORY)


# -- a root on a Debian-family device ----------------------------------------------------------------------


def test_a_root_is_added_as_the_device_would_add_it(
    tree: RealTree, new_small_tree: Callable[..., RealTree], authority: Authority, ca_file: Path
):
    device = new_small_tree()
    device.write(f"{LOCAL}/my-ca.crt", authority.pem)
    assert "1 added, 0 removed" in device.update_ca_certificates()
    install(tree.path, "--cert", ca_file)
    assert tree.store() == device.store()
    assert (tree.path / LOCAL / "my-ca.crt").read_bytes() == authority.pem
    assert (tree.path / CONF).read_bytes() == (device.path / CONF).read_bytes()
    assert "0 added, 0 removed" in tree.update_ca_certificates()
    assert tree.store() == device.store()


def test_the_checks_that_people_make(tree: RealTree, ca_file: Path):
    """``ls`` shows it, the bundle has every line, ``openssl verify`` is content, and by its hash it is found."""
    listed, lines = f"ls /{STORE} | grep my-ca", f"cat {BUNDLE} | grep -f /tmp/my-ca.pem"
    tree.write("tmp/my-ca.pem", ca_file.read_bytes())
    assert tree.run("sh", "-c", listed, check=False).stdout == ""
    body = ca_file.read_text().splitlines()[1:-1]
    assert not set(body) & set(tree.run("sh", "-c", lines).stdout.splitlines())
    assert tree.run("ls", f"/{STORE}/my-ca.pem", check=False).returncode != 0
    assert not verifies(tree, f"/{STORE}")
    install(tree.path, "--cert", ca_file)
    assert tree.run("sh", "-c", listed).stdout == "my-ca.pem\n"
    assert set(body) < set(tree.run("sh", "-c", lines).stdout.splitlines())
    assert f"my-ca.pem -> /{LOCAL}/my-ca.crt" in tree.run("ls", "-l", f"/{STORE}/my-ca.pem").stdout
    assert tree.run("openssl", "verify", f"/{LOCAL}/my-ca.crt").stdout == f"/{LOCAL}/my-ca.crt: OK\n"
    assert tree.run("openssl", "verify", "/tmp/server.pem").stdout == "/tmp/server.pem: OK\n"
    subject = tree.run("openssl", "x509", "-noout", "-hash", "-in", f"/{LOCAL}/my-ca.crt").stdout.strip()
    assert tree.hash_links()[f"{subject}.0"] == "my-ca.pem"


# -- hash links without openssl rehash ---------------------------------------------------------------------


def test_the_links_are_those_of_openssl_rehash(tree: RealTree, ca_file: Path):
    install(tree.path, "--cert", ca_file)
    ours = tree.hash_links()
    assert "my-ca.pem" in ours.values()
    for name in ours:
        (tree.path / STORE / name).unlink()
    tree.run("openssl", "rehash", f"/{STORE}")
    assert tree.hash_links() == ours


def test_the_links_are_those_of_the_command_for_an_older_openssl(tree: RealTree, ca_file: Path):
    install(tree.path, "--cert", ca_file)
    ours = tree.hash_links()
    for name in ours:
        (tree.path / STORE / name).unlink()
    by_hand = 'for file in *.pem; do ln -sf "$file" "$(openssl x509 -hash -noout -in "$file")".0; done'
    tree.run("sh", "-c", f"cd /{STORE}; {by_hand}")
    assert tree.hash_links() == ours


def test_the_links_of_a_directory_of_ones_own_are_those_of_openssl_rehash(
    tree: RealTree, authority: Authority, other_authority: Authority
):
    directory, same = tree.path / OWN_DIRECTORY[1:], tree.path / "data/same"
    (directory / "renewed.crt").write_bytes(authority.renewed().pem)
    (directory / "other.cer").write_bytes(other_authority.pem)
    shutil.copytree(directory, same)
    assert rootfs_trust("rehash", directory).returncode == 0
    tree.run("openssl", "rehash", "/data/same")
    assert links(directory) == links(same)
    assert len(links(directory)) == 3


def links(directory: Path) -> dict[str, str]:
    return {path.name: str(path.readlink()) for path in directory.iterdir() if HASH_LINK.fullmatch(path.name)}
