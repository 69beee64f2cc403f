"""The runs into which faults are put: trees as they are before, and the commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.support.layout_trees import FAMILIES, LayoutTree, shipped_authority

EPOCH = 1_700_000_000
STORE = "etc/ssl/certs"


class Case(NamedTuple):
    name: str
    make: Callable[[Path], None]
    """Makes the tree, in a directory that is not there yet."""
    words: Callable[[Path], list[str]]
    """The command line for it."""
    bundle: str | None = f"{STORE}/ca-certificates.crt"
    settle: Callable[[Path], None] | None = None
    """What has to be done in each copy of the tree before the run: a journal knows a tree by its inodes."""
    images: tuple[str, ...] | None = None
    """New images that the run writes, by path. The tree is then a directory that also contains sources (sites.py)."""
    store: str = STORE
    """The hash directory."""
    programs: bool = False
    """Whether the run starts programs, whose calls are not counted: faults come to those of the command itself."""
    one_process: bool = False
    """Whether the run is to have its worker in its own process: strace counts the calls of each by themselves."""


@cache
def authority(name: str) -> Authority:
    return Authority(name)


def _debian(path: Path) -> None:
    """A store as an earlier run left it, with what changes in every way a change can be made."""
    tree = DebianTree(path)
    local = tree.write("usr/local/share/ca-certificates/old.crt", authority("Old CA").pem)
    install(tree.root, InstallOptions(timestamp=EPOCH - 10**6))
    assert local.is_file()
    certs = path / STORE
    os.setxattr(certs / "ca-certificates.crt", "user.label", b"kept")
    (certs / "ca-certificates.crt").chmod(0o640)
    # A link whose text is another's by now, and one that no source has.
    (certs / "Beta_Root.pem").unlink()
    (certs / "Beta_Root.pem").symlink_to("../../../usr/share/ca-certificates/mozilla/Beta_Root.crt")
    (certs / "gone.pem").symlink_to("/usr/local/share/ca-certificates/gone.crt")
    (path / "etc/tedge").rmdir()


def _install(path: Path) -> list[str]:
    given = path.parent.parent / "new.pem"
    given.write_bytes(authority("New CA").pem)
    return ["install", "--root", str(path), "--cert", str(given), "--cloud", "c8y"]


def _remove(path: Path) -> list[str]:
    return ["remove", "--root", str(path), "old", "Alpha_Root"]


def _hashed(path: Path) -> None:
    """Two CAs of one name, a link to be given another number, one to go, one to come."""
    certs = path / STORE
    certs.mkdir(parents=True)
    for name, common_name in (("a", "Same CA"), ("b", "Same CA "), ("c", "Another CA"), ("d", "Third CA")):
        (certs / f"{name}.pem").write_bytes(authority(common_name).pem)
    (certs / "00000000.0").symlink_to("gone.pem")
    (certs / "e.pem").write_bytes(authority("Same CA").renewed().pem)


def _rehash(path: Path) -> list[str]:
    return ["rehash", str(path / STORE)]


def _fedora(path: Path) -> None:
    """A p11-kit store with a Java keystore, as an earlier run left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = LayoutTree(path, next(each for each in FAMILIES if each.name == "fedora"))
    tree.write("etc/pki/ca-trust/source/anchors/old.crt", authority("Old CA").pem)
    install(tree.root, InstallOptions(timestamp=EPOCH - 10**6))


def _remove_from_fedora(path: Path) -> list[str]:
    return ["remove", "--root", str(path), "old", f"sha256:{shipped_authority('Alpha Root').sha256}"]


def _sbom(path: Path) -> list[str]:
    return ["sbom", "--root", str(path), "-o", f"{path}/etc/ssl/certs/sbom.json", "-q"]


FEDORA_STORE = "etc/pki/ca-trust/extracted/pem/directory-hash"
FEDORA_BUNDLE = f"{FEDORA_STORE}/ca-bundle.crt"

CASES = (
    Case("install", _debian, _install),
    Case("remove", _debian, _remove),
    Case("rehash", _hashed, _rehash, None),
    Case("install-p11kit", _fedora, _install, FEDORA_BUNDLE, store=FEDORA_STORE),
    Case("remove-p11kit", _fedora, _remove_from_fedora, FEDORA_BUNDLE, store=FEDORA_STORE),
    Case("sbom", _debian, _sbom),
)
