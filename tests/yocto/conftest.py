"""Real root filesystems, and a build directory of BitBake."""

from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.bitbake import BuildFolder
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.trees import (  # noqa: F401
    amd64_base,
    amd64_tar,
    new_small_tree,
    small_base,
    tree_cache,
)


@pytest.fixture
def build(tmp_path: Path, authority: Authority) -> BuildFolder:
    """With an image that inherits the class, and the CA of the user in ``certs/my-ca.pem``."""
    folder = BuildFolder(tmp_path / "build")
    folder.write("my-image.bb", "inherit image\n")
    folder.write("certs/my-ca.pem", authority.pem)
    return folder


@pytest.fixture
def yocto_tree(tmp_path: Path) -> LayoutTree:
    """A small one of a product with its own os-release, which says neither Yocto nor what it is like."""
    return LayoutTree(tmp_path / "rootfs", next(family for family in FAMILIES if family.name == "yocto"))
