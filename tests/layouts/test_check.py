"""A clean store of each layout gives no finding that anybody has to mend."""

from __future__ import annotations

import pytest

from rootfs_trust import CheckOptions, InstallOptions, check, install
from rootfs_trust.audit.findings import NOTE
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree

WITH_FOLDER = [family for family in FAMILIES if family.folders]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("with_anchor", [False, True], ids=["as shipped", "with an anchor"])
def test_a_clean_store_gives_no_error_and_no_warning(tmp_path, family, with_anchor):
    tree = LayoutTree(tmp_path / "root", family)
    ca = tmp_path / "my-ca.pem"
    ca.write_bytes(Authority("My CA").pem)
    clouds = ["c8y"] if with_anchor and family.folders else []
    install(tree.root, InstallOptions(certs=[str(ca)] if with_anchor else [], clouds=clouds, adopt=True))
    before = tree.snapshot()
    found = check(tree.root)
    assert [finding for finding in found if finding.level != NOTE] == []
    assert tree.snapshot() == before
    assert check(tree.root, CheckOptions(ignore=[finding.id for finding in found])) == ()
