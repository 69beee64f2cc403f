"""Builds without root: an ordinary user, fakeroot, pseudo, a user namespace write what root writes.

And the same on another host: neither its locale, time zone, umask, hash seed nor the order of directories shows.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import OrdinaryUser, install, rootfs_trust
from tests.support.debian_tree import DebianTree, contents, snapshot
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable

ORDINARY = (61234, 61235)
TEDGE = (951, 950)
TIME = 1_700_000_000
WORDS = ("--cloud", "c8y", "--timestamp", str(TIME))


@pytest.fixture
def ca_file(open_directory: Path, authority: Authority) -> Path:
    file = open_directory / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


def _tree(path: Path) -> DebianTree:
    tree = DebianTree(path)
    tree.write("etc/passwd", b"tedge:x:951:950::/:/usr/sbin/nologin\n")
    return tree


@pytest.fixture
def tree(open_directory: Path) -> DebianTree:
    return _tree(open_directory / "rootfs")


@pytest.fixture
def of_root(open_directory: Path, ca_file: Path) -> dict[str, object]:
    """What root's run leaves in such a tree."""
    tree = _tree(open_directory / "roots")
    install(tree.root, "--cert", ca_file, *WORDS)
    return contents(tree.path)


def _listed(told: str) -> dict[str, str]:
    """Owners by name, from ``find -printf``."""
    return dict(reversed(line.split(" ", 1)) for line in told.splitlines())


def _through(tree: DebianTree, ca_file: Path, user: OrdinaryUser, *wrapper: str, **variables: str) -> dict[str, str]:
    """Runs install and then find under ``wrapper`` as the ordinary user; the owners that it sees."""
    subprocess.run(["chown", "-Rh", "{}:{}".format(*ORDINARY), tree.root], check=True)
    begin = 'set -e; root=$1; shift; chown -Rh 0:0 "$root"; "$@" >&2; cd "$root"; find . -printf "%U:%G %P\\n"'
    command = ["-m", "rootfs_trust", "install", "--root", tree.root, "--cert", str(ca_file), *WORDS]
    done = user._run(
        *wrapper, "/bin/sh", "-c", begin, "sh", tree.root, user._python, *command, environment=dict(variables)
    )
    assert done.returncode == 0, done.stderr.decode()
    return _listed(done.stdout.decode())


def _right_owners(owners: dict[str, str]) -> None:
    assert owners["etc/tedge/tedge.toml"] == "{}:{}".format(*TEDGE)
    assert {owner for name, owner in owners.items() if name != "etc/tedge/tedge.toml"} == {"0:0"}
    assert "etc/ssl/certs/my-ca.pem" in owners


def test_under_fakeroot(tree: DebianTree, ca_file: Path, open_directory: Path, of_root: dict[str, object]):
    user = OrdinaryUser(open_directory, *ORDINARY)
    _right_owners(_through(tree, ca_file, user, peer("fakeroot"), "--"))
    assert contents(tree.path) == of_root


def test_under_pseudo(tree: DebianTree, ca_file: Path, open_directory: Path, of_root: dict[str, object]):
    user = OrdinaryUser(open_directory, *ORDINARY)
    state = open_directory / "pseudo"
    state.mkdir()
    os.chown(state, *ORDINARY)
    pseudo = peer("pseudo")
    variables = {"PSEUDO_PREFIX": "/usr", "PSEUDO_LOCALSTATEDIR": str(state)}
    try:
        _right_owners(_through(tree, ca_file, user, pseudo, **variables))
    finally:
        user._run(pseudo, "-S", environment=variables)
    assert contents(tree.path) == of_root


def test_in_a_user_namespace(tree: DebianTree, ca_file: Path, of_root: dict[str, object]):
    unshare = (peer("unshare"), "--user", "--map-root-user")
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        unavailable("no user namespace can be made here")
    done = rootfs_trust("install", "--root", tree.root, "--cert", ca_file, *WORDS, through=unshare)
    assert done.returncode == 0, done.stderr.decode()
    assert b"951:950" in done.stderr, "told who should own tedge.toml"
    assert contents(tree.path) == of_root


def test_an_ordinary_user_fills_a_read_only_directory(open_directory: Path, ca_file: Path):
    """The directory-hash of Fedora has mode 0555. A later run without changes needs no write permission."""
    fedora = next(family for family in FAMILIES if family.name == "fedora")
    ours, roots = (LayoutTree(open_directory / name, fedora) for name in ("rootfs", "roots"))
    install(roots.root, "--cert", ca_file)
    subprocess.run(["chown", "-Rh", "{}:{}".format(*ORDINARY), ours.root], check=True)
    user = OrdinaryUser(open_directory, *ORDINARY)
    for _ in range(2):
        done = user.rootfs_trust("install", "--root", ours.root, "--cert", ca_file)
        assert done.returncode == 0, done.stderr.decode()
    assert ours.contents() == roots.contents()
    assert ours.contents()["etc/pki/ca-trust/extracted/pem/directory-hash"]


# -- another host ------------------------------------------------------------------------------------------


def _shuffled(source: Path, dest: Path, seed: int) -> None:
    """A copy of the tree whose entries were made in another order."""
    dest.mkdir()
    names = sorted(os.listdir(source))
    random.Random(seed).shuffle(names)
    for name in names:
        if (source / name).is_dir() and not (source / name).is_symlink():
            _shuffled(source / name, dest / name, seed + 1)
        else:
            shutil.copy2(source / name, dest / name, follow_symlinks=False)
    shutil.copystat(source, dest)


HOSTS = {
    "a": ({"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"}, 0o022),
    "b/longer path": ({"LC_ALL": "en_US.UTF-8", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "4242"}, 0o077),
    "c": ({"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns", "PYTHONUTF8": "0"}, 0o002),
}
RUNS = (
    ("install", "--root", "ROOT", "--cert", "CA", "--cloud", "c8y", "--timestamp", str(TIME)),
    ("list", "--root", "ROOT", "--at", "2026-06-01", "--format", "json"),
    ("check", "--root", "ROOT", "--at", "2026-06-01", "--format", "json"),
    ("report", "--root", "ROOT", "--at", "2026-06-01", "--output", "-"),
    ("image", "ROOT", "IMAGE", "--cert", "CA", "--timestamp", str(TIME)),
    ("remove", "--root", "ROOT", "my-ca", "--timestamp", str(TIME + 1)),
    ("rehash", "--root", "ROOT", "/etc/ssl/certs"),
)


def _nameless(text: bytes, root: Path, image: Path) -> bytes:
    return text.replace(str(root).encode(), b"ROOT").replace(str(image).encode(), b"IMAGE")


def test_other_hosts_give_the_same_trees_and_say_the_same(tmp_path: Path, authority: Authority):
    base = DebianTree(tmp_path / "base")
    for name in ("Zeta", "alpha", "Ärger", "b c"):
        base.write(f"usr/local/share/ca-certificates/{name}.crt", Authority(f"Own {name}").pem)
    subprocess.run(["find", base.root, "-exec", "touch", "-hd", f"@{TIME - 9}", "{}", "+"], check=True)
    ca_file = tmp_path / "my-ca.pem"
    ca_file.write_bytes(authority.pem)
    results = []
    for seed, (name, (variables, umask)) in enumerate(HOSTS.items()):
        root, image = tmp_path / name, tmp_path / f"image{seed}"
        root.parent.mkdir(exist_ok=True)
        _shuffled(base.path, root, seed)
        environment = {**PLAIN_ENVIRONMENT, **variables}
        said: list[object] = []
        for run in RUNS:
            places = {"ROOT": str(root), "IMAGE": str(image), "CA": str(ca_file)}
            words = [places.get(each) or each.replace("ROOT", str(root)) for each in run]
            done = rootfs_trust(*words, environment={**environment, "SOURCE_DATE_EPOCH": str(TIME)}, umask=umask)
            assert done.returncode in (0, 1) and b"Traceback" not in done.stderr, done
            said.append([_nameless(each, root, image) for each in (done.stdout, done.stderr)])
            said.append((snapshot(root), snapshot(image) if image.exists() else None))
        assert image.exists()
        results.append(said)
    for other in results[1:]:
        for number, (first, second) in enumerate(zip(results[0], other, strict=True)):
            assert second == first, RUNS[number // 2]
