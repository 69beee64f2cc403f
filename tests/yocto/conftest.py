"""Real root filesystems, and a build directory of BitBake."""

from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.bitbake import BuildDirectory
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.trees import (  # noqa: F401
    amd64_base,
    amd64_tar,
    new_small_tree,
    small_base,
    tree_cache,
)


@pytest.fixture
def build(tmp_path: Path, authority: Authority) -> BuildDirectory:
    """With an image that inherits the class, and the CA of the user in ``certs/my-ca.pem``."""
    directory = BuildDirectory(tmp_path / "build")
    directory.write("my-image.bb", "inherit image\n")
    directory.write("certs/my-ca.pem", authority.pem)
    return directory


@pytest.fixture
def yocto_tree(tmp_path: Path) -> LayoutTree:
    """A small one of a product with its own os-release, which says neither Yocto nor what it is like."""
    return LayoutTree(tmp_path / "rootfs", next(family for family in FAMILIES if family.name == "yocto"))
