"""Debian's own update-ca-certificates, in its own tree, is the measure of the store that install writes.

What Debian's tool would do is shown by the tool itself, in a second copy of the same tree.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.trees import CONF, LOCAL, SHIPPED, STORE, RealTree

NOTHING = "0 added, 0 removed; done."
ROOT_X1 = f"{SHIPPED}/mozilla/ISRG_Root_X1.crt"

NewTree = Callable[..., RealTree]


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    file = tmp_path / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


# -- the main job, with every CA that Debian ships ---------------------------------------------------------


def test_the_devices_own_tool_finds_nothing_to_do_and_changes_nothing(amd64_tree: RealTree, ca_file: Path):
    install(amd64_tree.path, "--cert", ca_file, "--cloud", "c8y")
    store = amd64_tree.store()
    assert "my-ca.pem" in store
    assert NOTHING in amd64_tree.update_ca_certificates()
    assert amd64_tree.store() == store
    assert f"{len(amd64_tree.shipped()) + 1} added" in amd64_tree.update_ca_certificates("--fresh")
    assert amd64_tree.store() == store


def test_a_tree_that_was_never_configured_gets_what_configuring_writes(new_amd64_tree: NewTree):
    ours, theirs = new_amd64_tree(), new_amd64_tree()
    for name in (CONF, "etc/os-release", "usr/lib/os-release"):
        (ours.path / name).unlink()
    shutil.rmtree(ours.path / STORE)
    (ours.path / STORE).mkdir()
    install(ours.path)
    assert len(ours.store()) > 250
    assert ours.store() == theirs.store()
    assert (ours.path / CONF).read_bytes() == (theirs.path / CONF).read_bytes()
    assert (ours.path / CONF).stat().st_mode == (theirs.path / CONF).stat().st_mode


def test_the_hash_links_of_all_shipped_certificates_are_those_of_openssl_rehash(amd64_tree: RealTree):
    shutil.rmtree(amd64_tree.path / STORE)
    install(amd64_tree.path)
    ours = amd64_tree.hash_links()
    for name in ours:
        (amd64_tree.path / STORE / name).unlink()
    amd64_tree.run("openssl", "rehash", f"/{STORE}")
    assert len(ours) == len(amd64_tree.shipped()) > 100
    assert ours == amd64_tree.hash_links()


@pytest.mark.parametrize("options", [(), ("-old",), ("-compat",)], ids=["new", "old", "compat"])
def test_the_rehash_command_links_shipped_certificates_as_openssl_does(
    amd64_tree: RealTree, tmp_path: Path, options: tuple[str, ...]
):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for directory in (ours, theirs):
        directory.mkdir()
        for file in amd64_tree.shipped():
            shutil.copy(file, directory)
    done = rootfs_trust("rehash", ours, *(f"-{option}" for option in options))
    assert done.returncode == 0, done.stderr
    subprocess.run([peer("openssl"), "rehash", *options, theirs], env=PLAIN_ENVIRONMENT, check=True)
    assert _links(ours) == _links(theirs)


def _links(directory: Path) -> dict[str, str]:
    return {entry.name: str(entry.readlink()) for entry in directory.iterdir() if entry.is_symlink()}


# -- stores that have been lived in ------------------------------------------------------------------------


def _disabled_lines(tree: RealTree) -> None:
    lines = (tree.path / CONF).read_text().splitlines(keepends=True)
    chosen = [f"!{line}" if "GlobalSign" in line or "ISRG" in line else line for line in lines]
    (tree.path / CONF).write_text("".join(chosen))


def _odd_lines(tree: RealTree) -> None:
    lines = (tree.path / CONF).read_text().splitlines()
    lines[3] = f"  {lines[3]}\t "
    lines[5] = lines[5].replace("_", "\\_")
    lines[7] += "\r"
    lines[4:4] = ["", "# a comment", "mozilla/Not_There.crt", lines[10]]
    (tree.path / CONF).write_text("\n".join(lines))


def _names_with_marks(tree: RealTree) -> None:
    for name in ("A b, c (d)", "tab\tx", "ünï", "[x]{y}$z&", "-dash", ".hidden", "two  blanks", "a.crt", "a"):
        tree.write(f"{LOCAL}/{name}.crt", Authority(name).pem)
    shipped = tree.write(f"{SHIPPED}/own/Two (x), y.crt", Authority("Two").pem)
    with open(tree.path / CONF, "a") as conf:
        conf.write(f"own/{shipped.name}\n!own/Three (x).crt\n")
    tree.write(f"{SHIPPED}/own/Three (x).crt", Authority("Three").pem)


def _subdirectories_and_links(tree: RealTree) -> None:
    tree.write(f"{LOCAL}/deep/er/one.crt", Authority("One").pem)
    tree.write(f"{LOCAL}/deep-er.crt", Authority("Deep").pem)
    tree.write("opt/cas/linked.crt", Authority("Linked").pem)
    tree.write("opt/single", Authority("Single").pem)
    (tree.path / LOCAL / "folder").symlink_to("/opt/cas")
    (tree.path / LOCAL / "single.crt").symlink_to("../../../../opt/single")
    (tree.path / LOCAL / "dangling.crt").symlink_to("/opt/nothing")
    (tree.path / LOCAL / "folder.crt").mkdir()
    tree.write(f"{LOCAL}/IGNORED.CRT", Authority("Ignored").pem)
    tree.write(f"{LOCAL}/ignored.pem", Authority("Ignored as well").pem)


def _untidy_files(tree: RealTree) -> None:
    tree.write(f"{LOCAL}/crlf.crt", Authority("CRLF").pem.replace(b"\n", b"\r\n"))
    tree.write(f"{LOCAL}/several.crt", Authority("First").pem + Authority("Second").pem)
    tree.write(f"{LOCAL}/no-newline.crt", Authority("No newline").pem.rstrip(b"\n"))
    tree.write(f"{LOCAL}/mark.crt", b"\xef\xbb\xbf" + Authority("Mark").pem)
    tree.write(f"{LOCAL}/text.crt", b"subject=Text\n\n" + Authority("Text").pem + b"\ntrailing words")
    tree.write(f"{LOCAL}/label.crt", Authority("Label").pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"))
    tree.write(f"{LOCAL}/newlines.crt", Authority("Newlines").pem + b"\n\n")


def _shared_subjects_and_copies(tree: RealTree) -> None:
    first = Authority("Shared")
    for name, authority in (("s2", first), ("s1", first.renewed()), ("S3", Authority("Shared")), ("copy", first)):
        tree.write(f"{LOCAL}/{name}.crt", authority.pem)
    tree.write(f"{LOCAL}/isrg.crt", (tree.path / ROOT_X1).read_bytes())


def _files_of_a_user(tree: RealTree) -> None:
    tree.write(f"{STORE}/user-ca.pem", Authority("User").pem)
    tree.write(f"{STORE}/user-two.cer", Authority("User two").pem + Authority("User two b").pem)
    tree.write(f"{STORE}/notes.txt", b"mine")
    tree.write("opt/linked-ca", Authority("User linked").pem)
    (tree.path / STORE / "linked.crt").symlink_to("/opt/linked-ca")


def _stale_links(tree: RealTree) -> None:
    store = tree.path / STORE
    (store / "0123abcd.0").symlink_to("gone.pem")
    (store / "gone.pem").symlink_to(f"/{LOCAL}/gone.crt")
    (store / "Other_name.pem").symlink_to(f"/{ROOT_X1}")
    (store / "ISRG_Root_X2.pem").unlink()
    (store / "ISRG_Root_X2.pem").symlink_to(f"/{ROOT_X1}")


@pytest.mark.parametrize(
    "live_in",
    [
        _disabled_lines,
        _odd_lines,
        _names_with_marks,
        _subdirectories_and_links,
        _untidy_files,
        _shared_subjects_and_copies,
        _files_of_a_user,
        _stale_links,
    ],
    ids=lambda function: function.__name__.strip("_"),
)
def test_a_rebuild_gives_what_a_fresh_run_of_the_devices_tool_gives(
    new_small_tree: NewTree, live_in: Callable[[RealTree], None]
):
    ours = new_small_tree()
    live_in(ours)
    theirs = new_small_tree(like=ours)
    install(ours.path, "--drop-unsourced")
    theirs.update_ca_certificates("--fresh")
    assert ours.store() == theirs.store()
    assert b"Nothing to do" in install(ours.path).stdout


def test_a_users_own_ca_in_the_store_keeps_its_hash_link(new_small_tree: NewTree, ca_file: Path):
    tree = new_small_tree()
    tree.write(f"{STORE}/user-ca.pem", Authority("User").pem)
    tree.run("openssl", "rehash", f"/{STORE}")
    link = next(name for name, end in tree.hash_links().items() if end == "user-ca.pem")
    install(tree.path, "--cert", ca_file)
    assert tree.hash_links()[link] == "user-ca.pem"


# -- renewal, removal, and what the distribution ships -----------------------------------------------------


@pytest.mark.parametrize("same_subject", [True, False], ids=["same subject", "another subject"])
def test_a_renewed_ca_leaves_what_a_fresh_run_on_the_device_leaves(
    new_small_tree: NewTree, tmp_path: Path, same_subject: bool
):
    ours, theirs = new_small_tree(), new_small_tree()
    old = Authority("Plant Root")
    new = old.renewed() if same_subject else Authority("Plant Root 2")
    file = tmp_path / "plant.pem"
    file.write_bytes(old.pem)
    install(ours.path, "--cert", file)
    file.write_bytes(new.pem)
    before = ours.store()
    refused = rootfs_trust("install", "--root", ours.path, "--cert", file)
    assert refused.returncode == 3
    assert ours.store() == before
    install(ours.path, "--cert", file, "--replace", "plant")
    theirs.write(f"{LOCAL}/plant.crt", new.pem)
    theirs.update_ca_certificates("--fresh")
    assert ours.store() == theirs.store()
    assert NOTHING in ours.update_ca_certificates()
    assert ours.store() == theirs.store()


def test_after_a_local_file_is_deleted_the_store_is_that_of_a_fresh_run_on_the_device(
    new_small_tree: NewTree, ca_file: Path
):
    ours, theirs = new_small_tree(), new_small_tree()
    install(ours.path, "--cert", ca_file)
    (ours.path / LOCAL / "my-ca.crt").unlink()
    before = ours.store()
    refused = rootfs_trust("install", "--root", ours.path)
    assert refused.returncode == 3, "a certificate that only the bundle holds is never lost in silence"
    assert ours.store() == before
    install(ours.path, "--drop-unsourced")
    theirs.update_ca_certificates("--fresh")
    assert ours.store() == theirs.store()


def test_a_ca_that_the_distribution_ships_is_installed_anyway(new_small_tree: NewTree, tmp_path: Path):
    ours, theirs = new_small_tree(), new_small_tree()
    given = tmp_path / "letsencrypt.pem"
    shutil.copy(ours.path / ROOT_X1, given)
    told = json.loads(install(ours.path, "--cert", given, "--format", "json").stdout)
    assert "already-shipped" in [warning["id"] for warning in told["warnings"]]
    theirs.write(f"{LOCAL}/letsencrypt.crt", (ours.path / LOCAL / "letsencrypt.crt").read_bytes())
    theirs.update_ca_certificates("--fresh")
    assert ours.store() == theirs.store()


def test_a_ca_that_the_rootfs_distrusts_is_a_conflict_and_nothing_is_written(new_small_tree: NewTree, tmp_path: Path):
    tree = new_small_tree()
    _disabled_lines(tree)
    tree.update_ca_certificates("--fresh")
    before = tree.store()
    given = tmp_path / "letsencrypt.pem"
    shutil.copy(tree.path / ROOT_X1, given)
    refused = rootfs_trust("install", "--root", tree.path, "--cert", given, "--format", "json")
    assert refused.returncode == 3
    (error,) = json.loads(refused.stdout)["errors"]
    assert error["id"] == "conflict"
    assert error["path"] == f"/{ROOT_X1}"
    assert tree.store() == before
    assert list((tree.path / LOCAL).iterdir()) == []
