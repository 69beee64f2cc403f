"""A store that the distribution's own tool has just made has no finding above a note, in every layout."""

from __future__ import annotations

import re

import pytest

from rootfs_trust import InstallOptions, check, install
from rootfs_trust.audit.findings import NOTE
from tests.layouts.own_peers import make_anew
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree, Tool

CA = Authority("My CA")
HASH_LINK = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def without_what_the_tool_writes(tree: LayoutTree) -> None:
    """Debian's tool writes all but Java's store, which is a hook's; the scripts of others write links only."""
    debians = tree.family.tool is Tool.UPDATE_CA_CERTIFICATES
    for path in (tree.path / directory[1:] for directory in tree.family.directories):
        for each in sorted(path.iterdir()):
            if each.name != "java" if debians else HASH_LINK.fullmatch(each.name):
                each.unlink()


@pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.tool is not Tool.NONE], ids=lambda family: family.name
)
@pytest.mark.parametrize("with_anchor", [False, True], ids=["as shipped", "with an anchor"])
def test_a_store_of_the_distributions_tool_has_no_finding(tmp_path, request, family, with_anchor):
    tree = LayoutTree(tmp_path / "root", family)
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "my-ca.pem")] if with_anchor else []))
    if not family.p11kit:
        without_what_the_tool_writes(tree)
        assert check(tree.root)
    make_anew(tree, request, tmp_path)
    assert [finding for finding in check(tree.root) if finding.level != NOTE] == []
