"""Owners, modes, extended attributes and times of what is written, as root and as an ordinary user.

``STRANGER`` owns the tree or parts of it; ``ORDINARY`` is a user without any privilege.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import OrdinaryUser, install, rootfs_trust
from tests.support.debian_tree import CONF, DebianTree, snapshot
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable

STRANGER = (4711, 4712)
ORDINARY = (61234, 61235)
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
STORE = "etc/ssl/certs"
SOURCE = "usr/local/share/ca-certificates/my-ca.crt"
LINK = "etc/ssl/certs/my-ca.pem"


@pytest.fixture
def tree(open_directory: Path) -> DebianTree:
    return DebianTree(open_directory / "rootfs")


@pytest.fixture
def ca_file(open_directory: Path, authority: Authority) -> Path:
    file = open_directory / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture
def user(open_directory: Path) -> OrdinaryUser:
    return OrdinaryUser(open_directory, *ORDINARY)


def _owner(tree: DebianTree, name: str) -> tuple[int, int]:
    status = os.lstat(tree.path / name)
    return status.st_uid, status.st_gid


def _mode(tree: DebianTree, name: str) -> int:
    return stat.S_IMODE(os.lstat(tree.path / name).st_mode)


def _give(tree: DebianTree, owner: tuple[int, int]) -> None:
    for directory, directories, files in os.walk(tree.path):
        for name in [".", *directories, *files]:
            os.lchown(os.path.join(directory, name), *owner)


def _set_attribute(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        unavailable(f"{name} cannot be set here: {error.strerror}")


def _written(tree: DebianTree, before: dict[str, tuple[object, ...]]) -> list[str]:
    """Entries that were not there before."""
    return sorted(set(tree.snapshot()) - set(before))


# -- as root -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_new_entries_belong_to_root_with_open_modes_whatever_the_umask(tree: DebianTree, ca_file: Path, umask: int):
    shutil.rmtree(tree.path / "usr/local")
    shutil.rmtree(tree.path / "etc/tedge")
    before = tree.snapshot()
    install(tree.root, "--cert", ca_file, "--cloud", "c8y", umask=umask)
    written = _written(tree, before)
    assert {SOURCE, LINK, BUNDLE, "usr/local/share", "etc/tedge/tedge.toml"} <= set(written)
    for name in written:
        assert _owner(tree, name) == (0, 0), name
        if not (tree.path / name).is_symlink():
            assert _mode(tree, name) == (0o755 if (tree.path / name).is_dir() else 0o644), name


def test_in_a_tree_of_another_owner_new_entries_get_that_owner_and_it_is_reported(tree: DebianTree, ca_file: Path):
    _give(tree, STRANGER)
    before = tree.snapshot()
    told = json.loads(install(tree.root, "--cert", ca_file, "--cloud", "c8y", "--format", "json").stdout)
    written = _written(tree, before)
    assert {SOURCE, LINK, BUNDLE, "etc/tedge/tedge.toml"} <= set(written)
    assert {_owner(tree, name) for name in written} == {STRANGER}
    (warning,) = [warning for warning in told["warnings"] if warning["id"] == "owner"]
    assert "4711:4712" in warning["message"]


def test_in_a_tree_of_root_with_files_of_others_nothing_is_reported_of_owners(tree: DebianTree, ca_file: Path):
    os.chown(tree.path / STORE, *STRANGER)
    told = json.loads(install(tree.root, "--cert", ca_file, "--format", "json").stdout)
    assert "owner" not in [warning["id"] for warning in told["warnings"]]
    assert _owner(tree, LINK) == (0, 0)
    assert _owner(tree, STORE) == STRANGER


def test_replaced_files_keep_owner_group_and_mode(tree: DebianTree, ca_file: Path, other_authority: Authority):
    tree.write("etc/tedge/tedge.toml", b'[config]\nversion = "2"\n')
    install(tree.root, "--cert", ca_file)
    kept = {BUNDLE: 0o640, SOURCE: 0o444, "etc/tedge/tedge.toml": 0o600}
    for name, mode in kept.items():
        os.chown(tree.path / name, *STRANGER)
        (tree.path / name).chmod(mode)
    os.lchown(tree.path / LINK, *STRANGER)
    contents = {name: tree.read(name) for name in kept}
    ca_file.write_bytes(other_authority.pem)
    install(tree.root, "--cert", ca_file, "--replace", "my-ca", "--cloud", "c8y", umask=0o077)
    for name, mode in kept.items():
        assert tree.read(name) != contents[name]
        assert _owner(tree, name) == STRANGER
        assert _mode(tree, name) == mode
    assert _owner(tree, LINK) == STRANGER


def test_tedge_toml_belongs_to_the_rootfs_own_tedge_user(tree: DebianTree, ca_file: Path):
    (tree.path / "etc/tedge").rmdir()
    tree.write("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\ntedge:x:951:950::/:/usr/sbin/nologin\n")
    install(tree.root, "--cert", ca_file, "--cloud", "c8y")
    assert _owner(tree, "etc/tedge") == _owner(tree, "etc/tedge/tedge.toml") == (951, 950)
    assert _owner(tree, LINK) == (0, 0)


def test_replaced_files_keep_their_extended_attributes(tree: DebianTree, ca_file: Path, other_authority: Authority):
    install(tree.root, "--cert", ca_file)
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *entry)
        for entry in ((1, 6, 2**32 - 1), (2, 4, STRANGER[0]), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 4, 2**32 - 1))
    )
    attributes = {
        "user.origin": b"factory\0line",
        "security.selinux": b"system_u:object_r:cert_t:s0\0",
        "system.posix_acl_access": acl,
    }
    for name in (BUNDLE, SOURCE):
        for key, value in attributes.items():
            _set_attribute(tree.path / name, key, value)
    ca_file.write_bytes(other_authority.pem)
    install(tree.root, "--cert", ca_file, "--replace", "my-ca")
    for name in (BUNDLE, SOURCE):
        assert {key: os.getxattr(tree.path / name, key) for key in attributes} == attributes


def test_a_replaced_link_keeps_its_selinux_label(tree: DebianTree, ca_file: Path):
    (tree.path / LINK).symlink_to("/somewhere/else")
    _set_attribute(tree.path / LINK, "security.selinux", b"system_u:object_r:cert_t:s0\0")
    install(tree.root, "--cert", ca_file)
    assert os.readlink(tree.path / LINK) == f"/{SOURCE}"
    assert os.getxattr(tree.path / LINK, "security.selinux", follow_symlinks=False).startswith(b"system_u")


@pytest.mark.parametrize("name", ["security.ima", "security.evm"])
def test_a_signed_file_is_a_conflict_unless_it_will_be_signed_again(
    tree: DebianTree, ca_file: Path, other_authority: Authority, name: str
):
    install(tree.root, "--cert", ca_file)
    _set_attribute(tree.path / BUNDLE, name, b"\x03\x02\x04" + bytes(40))
    _set_attribute(tree.path / BUNDLE, "user.origin", b"factory")
    ca_file.write_bytes(other_authority.pem)
    before = tree.snapshot()
    renew = ("--root", tree.root, "--cert", ca_file, "--replace", "my-ca")
    refused = rootfs_trust("install", *renew, "--format", "json")
    assert refused.returncode == 3
    (error,) = json.loads(refused.stdout)["errors"]
    assert (error["id"], error["path"]) == ("conflict", f"/{BUNDLE}")
    assert name in error["message"]
    assert tree.snapshot() == before
    assert rootfs_trust("install", *renew, "--will-be-signed").returncode == 0
    assert os.listxattr(tree.path / BUNDLE) == ["user.origin"], "the old signature does not fit the new content"


# -- as an ordinary user -----------------------------------------------------------------------------------


def test_an_ordinary_user_writes_to_a_tree_that_the_user_owns(tree: DebianTree, ca_file: Path, user: OrdinaryUser):
    _give(tree, ORDINARY)
    before = tree.snapshot()
    words = ("install", "--root", tree.root, "--cert", ca_file, "--cloud", "c8y")
    done = user.rootfs_trust(*words, "--format", "json", umask=0o077)
    assert done.returncode == 0, done.stderr.decode()
    written = _written(tree, before)
    assert {SOURCE, LINK, BUNDLE, "etc/tedge/tedge.toml"} <= set(written)
    assert {_owner(tree, name) for name in written} == {ORDINARY}
    assert {_mode(tree, name) for name in written if (tree.path / name).is_file()} == {0o644}
    assert "61234:61235" in next(each["message"] for each in _warnings(done) if each["id"] == "owner")
    assert b"Nothing to do" in user.rootfs_trust(*words).stdout


def test_an_ordinary_user_and_root_write_the_same_bytes(open_directory: Path, ca_file: Path, user: OrdinaryUser):
    his, roots = DebianTree(open_directory / "his"), open_directory / "roots"
    _give(his, ORDINARY)
    subprocess.run(["cp", "-a", his.root, roots], check=True)
    words = ("--cert", str(ca_file), "--cloud", "c8y", "--timestamp", "1700000000")
    assert user.rootfs_trust("install", "--root", his.root, *words).returncode == 0
    install(roots, *words)
    assert snapshot(roots) == his.snapshot()


def test_a_warning_names_files_whose_owner_an_ordinary_user_could_not_set(
    tree: DebianTree, ca_file: Path, user: OrdinaryUser
):
    _give(tree, ORDINARY)
    os.chown(tree.path, 0, 0)
    done = user.rootfs_trust("install", "--root", tree.root, "--cert", ca_file, "--format", "json")
    assert done.returncode == 0, done.stderr.decode()
    assert _owner(tree, BUNDLE) == ORDINARY
    (warning,) = [each for each in _warnings(done) if each["id"] == "owner"]
    assert "0:0" in warning["message"]


def test_a_warning_says_that_an_ordinary_user_could_not_give_tedge_toml_to_tedge(
    tree: DebianTree, ca_file: Path, user: OrdinaryUser
):
    tree.write("etc/passwd", b"tedge:x:951:950::/:/usr/sbin/nologin\n")
    _give(tree, ORDINARY)
    done = user.rootfs_trust("install", "--root", tree.root, "--cert", ca_file, "--cloud", "c8y", "--format", "json")
    assert done.returncode == 0, done.stderr.decode()
    assert _owner(tree, "etc/tedge/tedge.toml") == ORDINARY
    told = " ".join(each["message"] for each in _warnings(done) if each["id"] == "owner")
    assert "951:950" in told, "who should own it, so that the image builder can see to it"


def test_root_of_a_user_namespace_is_reported_of_owners_that_it_has_no_number_for(tree: DebianTree, ca_file: Path):
    unshare = (peer("unshare"), "--user", "--map-root-user")
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        unavailable("no user namespace can be made here")
    tree.write("etc/passwd", b"tedge:x:951:950::/:/usr/sbin/nologin\n")
    done = rootfs_trust(
        "install", "--root", tree.root, "--cert", ca_file, "--cloud", "c8y", "--format", "json", through=unshare
    )
    assert done.returncode == 0, done.stderr.decode()
    assert _owner(tree, LINK) == (0, 0)
    (warning,) = [each for each in _warnings(done) if each["id"] == "owner"]
    assert "951:950" in warning["message"]


def test_a_file_that_an_ordinary_user_may_not_give_back_is_left_as_it_is(
    tree: DebianTree, ca_file: Path, user: OrdinaryUser, other_authority: Authority
):
    install(tree.root, "--cert", ca_file)
    _give(tree, ORDINARY)
    os.chown(tree.path / BUNDLE, *STRANGER)
    ca_file.write_bytes(other_authority.pem)
    before = tree.snapshot()
    refused = user.rootfs_trust("install", "--root", tree.root, "--cert", ca_file, "--replace", "my-ca")
    assert refused.returncode == 3
    assert f"/{BUNDLE}: belongs to {STRANGER[0]}:{STRANGER[1]}, but this user may not give".encode() in refused.stderr
    assert tree.snapshot() == before


def test_a_tree_that_an_ordinary_user_may_not_write_to_is_left_as_it_is(
    tree: DebianTree, ca_file: Path, user: OrdinaryUser
):
    before = tree.snapshot()
    refused = user.rootfs_trust("install", "--root", tree.root, "--cert", ca_file)
    assert refused.returncode == 3
    assert b"is not writable for this user" in refused.stderr
    assert tree.snapshot() == before


def test_a_store_that_an_ordinary_user_may_not_read_is_refused(tree: DebianTree, ca_file: Path, user: OrdinaryUser):
    install(tree.root, "--cert", ca_file)
    _give(tree, ORDINARY)
    os.chown(tree.path / CONF, 0, 0)
    (tree.path / CONF).chmod(0o600)
    before = tree.snapshot()
    refused = user.rootfs_trust("install", "--root", tree.root, "--cert", ca_file)
    assert refused.returncode == 2
    assert f"/{CONF}".encode() in refused.stderr
    assert tree.snapshot() == before


def _warnings(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, str]]:
    return json.loads(done.stdout)["warnings"]


def _without_times(entries: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: (*entry[:3], *entry[4:]) for name, entry in entries.items()}


# -- times -------------------------------------------------------------------------------------------------

OLD, GIVEN, EPOCH = 1_000_000_000, 1_700_000_000, 1_600_000_000


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        (("--timestamp", str(GIVEN)), {}, GIVEN),
        ((), {"SOURCE_DATE_EPOCH": str(EPOCH)}, EPOCH),
        (("--timestamp", "2023-11-14T22:13:20Z"), {"SOURCE_DATE_EPOCH": str(EPOCH)}, GIVEN),
    ],
    ids=["--timestamp", "SOURCE_DATE_EPOCH", "--timestamp wins"],
)
def test_what_is_written_gets_the_given_time_and_the_rest_keeps_its_own(
    tmp_path: Path, authority: Authority, options: tuple[str, ...], environment: dict[str, str], expected: int
):
    tree = DebianTree(tmp_path / "rootfs")
    install(tree.root)
    ca_file = tmp_path / "my-ca.pem"
    ca_file.write_bytes(authority.pem)
    for name in tree.snapshot():
        os.utime(tree.path / name, (OLD, OLD), follow_symlinks=False)
    done = install(
        tree.root,
        "--cert",
        ca_file,
        "--cloud",
        "c8y",
        "--format",
        "json",
        *options,
        environment={**PLAIN_ENVIRONMENT, **environment},
    )
    written = {action["path"][1:] for action in json.loads(done.stdout)["actions"]}
    assert {BUNDLE, SOURCE, LINK, "etc/tedge/tedge.toml"} <= written
    written |= {os.path.dirname(name) for name in written}
    for name in tree.snapshot():
        time = expected if name in written else OLD
        assert os.lstat(tree.path / name).st_mtime_ns == time * 10**9, name


def test_a_given_time_changes_nothing_in_a_tree_that_is_up_to_date(tmp_path: Path, authority: Authority):
    tree = DebianTree(tmp_path / "rootfs")
    ca_file = tmp_path / "my-ca.pem"
    ca_file.write_bytes(authority.pem)
    install(tree.root, "--cert", ca_file, "--cloud", "c8y")
    before = tree.snapshot()
    install(tree.root, "--cert", ca_file, "--cloud", "c8y", "--timestamp", str(GIVEN))
    assert tree.snapshot() == before
