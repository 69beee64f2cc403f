"""Stores whose bundle is a source: what may not be written beside it."""

from __future__ import annotations

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import ConflictError
from tests.support.debian_tree import contents
from tests.support.layout_trees import FAMILIES, LayoutTree

OPENWRT = next(each for each in FAMILIES if each.name == "openwrt")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@pytest.mark.parametrize("has_bundle", [True, False])
def test_an_anchor_whose_file_would_be_the_bundle_is_a_conflict(tmp_path, authority, has_bundle):
    tree = LayoutTree(tmp_path / "rootfs", OPENWRT)
    if not has_bundle:
        (tree.path / BUNDLE[1:]).unlink()
    given = tmp_path / "ca-certificates.pem"
    given.write_bytes(authority.pem)
    before = contents(tree.path)
    with pytest.raises(ConflictError) as caught:
        install(tree.root, InstallOptions([str(given)]))
    assert [(each.path, each.hint) for each in caught.value.problems] == [(BUNDLE, "give the anchor another name")]
    assert contents(tree.path) == before
