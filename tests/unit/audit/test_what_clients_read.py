"""Each path that a client of a layout reads: absent, empty, dangling, unreadable or damaged, it is found.

The matrix is made from the paths that clients look for and that ``install`` has left in the tree of each layout.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust import InstallOptions, check, install
from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.findings import ERROR, NOTE
from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority
from tests.support.layout_trees import CREATED, FAMILIES, LayoutTree

CLIENTS_READ = (*well_known_paths.BUNDLES, *well_known_paths.HASH_DIRECTORIES, *well_known_paths.JAVA_STORES)
LINKED = Path("/nowhere/store")


def gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def absent(path: Path) -> None:
    gone(path)


def empty(path: Path) -> None:
    is_directory = path.is_dir()
    gone(path)
    if is_directory:
        path.mkdir()
    else:
        path.write_bytes(keystore([], CREATED) if "cacerts" in path.name and "bin" not in path.name else b"")


def dangling(path: Path) -> None:
    gone(path)
    path.symlink_to(LINKED)


def unreadable(path: Path) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)


def damaged(path: Path) -> None:
    gone(path)
    path.write_bytes(b"garbage\n")


STATES: tuple[Callable[[Path], None], ...] = (absent, empty, dangling, unreadable, damaged)

EXPLAINED = {
    ("absent", "link"): "the link is of another package (openssl, Java), which need not be in the tree",
    ("absent", "java"): "without a keystore, the tree has no Java, or a JDK whose missing keystore is found by itself",
    ("unreadable", "link"): "a link has no rights of its own: what it leads to has",
    ("unreadable", "not for TLS"): "the rights of files for mail, code and firmware are not looked at",
    ("damaged", "not for TLS"): "what edk2 and readers of TRUSTED CERTIFICATE blocks make of a file is not looked at",
    ("dangling", "not for TLS"): "as an absent one",
}
"""Cells in which nothing is found, by state and what the path is, with the reason: docs/check.md has them."""


OF_THE_BUNDLE = {("alpine", "/etc/ssl/cert.pem")}
"""Links of the package that has the bundle: without them, the tree is damaged."""


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def tree(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("read")
    (directory / "my-ca.pem").write_bytes(Authority("My CA").pem)
    tree = LayoutTree(directory / "rootfs", request.param)
    install(tree.root, InstallOptions(certs=[str(directory / "my-ca.pem")]))
    # A client that reads the bundle: OpenWrt's is a package of its own, which nobody misses without one.
    tree.write("usr/bin/curl", b"\x7fELF")
    return tree


def paths_of(tree: LayoutTree) -> list[str]:
    """What clients read of the tree, each once by its own entry: below linked directories there is nothing new."""
    paths = dict.fromkeys((*CLIENTS_READ, *LAYOUTS[tree.family.name].outputs))
    here = [path for path in paths if (tree.path / path[1:]).is_symlink() or (tree.path / path[1:]).exists()]
    return [path for path in here if not any(parent.is_symlink() for parent in parents(tree.path, path))]


def parents(root: Path, path: str) -> list[Path]:
    return [root / parent for parent in Path(path[1:]).parents if str(parent) != "."]


def kind_of(tree: LayoutTree, path: str) -> str:
    if (tree.path / path[1:]).is_symlink() and (tree.family.name, path) not in OF_THE_BUNDLE:
        return "link"
    if path in well_known_paths.JAVA_STORES:
        return "java"
    return "TLS" if path in CLIENTS_READ else "not for TLS"


def above_notes(root: Path) -> set[tuple[str, str]]:
    return {(each.id, each.path) for each in check(str(root)) if each.level != NOTE}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_whatever_clients_read_is_found_when_it_is_wrong(tree, state, tmp_path):
    before = above_notes(tree.path)
    silent = []
    for number, path in enumerate(paths_of(tree)):
        copy = tmp_path / str(number)
        shutil.copytree(tree.path, copy, symlinks=True)
        kind = kind_of(tree, path)
        linked = (copy / path[1:]).is_symlink()
        if (state is unreadable and linked) or (state is absent and path in tree.family.optional):
            continue
        state(copy / path[1:])
        if not above_notes(copy) - before and (state.__name__, kind) not in EXPLAINED:
            silent.append((path, kind))
    assert silent == []


def test_the_matrix_has_every_layout():
    assert {family.name for family in FAMILIES} == LAYOUTS.keys()


def test_a_tree_with_clients_and_no_store_is_an_error(tmp_path):
    (tmp_path / "usr/bin").mkdir(parents=True)
    assert [(each.id, each.level) for each in check(str(tmp_path))] == [("no-store", "warning")]
    (tmp_path / "usr/bin/curl").write_bytes(b"\x7fELF")
    assert [(each.id, each.level) for each in check(str(tmp_path))] == [("no-store", ERROR)]


def test_alpines_link_is_an_error_if_the_tree_has_curl(tmp_path):
    tree = LayoutTree(tmp_path / "tree", next(each for each in FAMILIES if each.name == "alpine"))
    install(tree.root, InstallOptions())
    (tree.path / "etc/ssl/cert.pem").unlink()
    assert [(each.id, each.level) for each in check(tree.root)] == [("output-missing", "warning")]
    tree.write("usr/bin/curl", b"\x7fELF")
    assert [(each.id, each.level) for each in check(tree.root)] == [("output-missing", ERROR)]


@pytest.mark.parametrize("name", ["fedora", "suse", "arch"])
def test_an_anchor_on_the_blocklist_names_the_list(tmp_path, name):
    tree = LayoutTree(tmp_path / "tree", next(each for each in FAMILIES if each.name == name))
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "my-ca.pem")]))
    blocklist = f"{tree.family.local.rpartition('/')[0]}/blocklist/no.pem"
    tree.write(blocklist[1:], (tmp_path / "my-ca.pem").read_bytes())
    (before,) = (each for each in check(tree.root) if each.level != NOTE)
    assert (before.id, before.path) == ("distrusted-yet-trusted", blocklist)
    install(tree.root, InstallOptions())
    (after,) = (each for each in check(tree.root) if each.level != NOTE)
    assert (after.id, after.message) == ("not-in-store", f"is distrusted by {blocklist}")
    assert after.fix == f"delete {blocklist} or {after.path}"


@pytest.mark.parametrize("name", ["cacerts", None])
def test_a_jdk_whose_keystore_is_not_there(tree, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(tree.path, copy, symlinks=True)
    security = copy / "opt/jdk/lib/security"
    security.mkdir(parents=True)
    (security / "default.policy").touch()
    if name:
        (security / name).symlink_to("/etc/gone/cacerts")
    assert ("jdk-store-missing", "/opt/jdk/lib/security/cacerts") in above_notes(copy)


def test_an_empty_copy_of_certifi(tree, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tree.path, copy, symlinks=True)
    store = copy / "srv/app/lib/python3.12/site-packages/certifi/cacert.pem"
    store.parent.mkdir(parents=True)
    store.touch()
    assert ("application-store-empty", "/srv/app/lib/python3.12/site-packages/certifi/cacert.pem") in above_notes(copy)
