"""``base = "none"``: nothing is trusted but the configured anchors, whatever the source files contain."""

from __future__ import annotations

import pytest

from rootfs_trust import InstallOptions, install, list_anchors
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree

MINE, TWICE = Authority("Mine"), Authority("Twice")


@pytest.mark.parametrize("family", [each for each in FAMILIES if each.local], ids=lambda family: family.name)
@pytest.mark.parametrize("content", [TWICE.pem * 2, TWICE.pem + MINE.pem + TWICE.pem], ids=["only", "others"])
def test_a_file_that_has_a_certificate_twice(tmp_path, family, content):
    tree = LayoutTree(tmp_path / "tree", family)
    suffix = ".pem" if family.name == "photon" else ".crt"
    tree.write(f"{family.local[1:]}/twice{suffix}", content)
    (tmp_path / "mine.pem").write_bytes(MINE.pem)
    (tmp_path / "rt.toml").write_text('[store]\nbase = "none"\n[[anchor]]\nfile = "mine.pem"\n')
    options = InstallOptions(config=str(tmp_path / "rt.toml"), drop_unsourced=True)
    install(tree.root, options)
    assert {each.certificate.sha256 for each in list_anchors(tree.root)} == {MINE.sha256}
    assert not install(tree.root, options).changed
