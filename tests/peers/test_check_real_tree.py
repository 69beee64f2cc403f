"""``check`` on a real Debian tree: as the distribution's own tool leaves it, nobody has to fix anything."""

from __future__ import annotations

import shutil

from rootfs_trust import CheckOptions, InstallOptions, check, install
from rootfs_trust.audit.checks.roots import KINDS
from tests.support.authority import Authority

PUBLIC_ROOTS = [kind.id for kind in KINDS]
"""What a distribution's package is found to ship changes with every package and every table."""

OPTIONS = CheckOptions(ignore=[each for each in PUBLIC_ROOTS if each != "root-ends"])


def test_the_tree_as_debian_makes_it(amd64_base):
    found = [finding for finding in check(str(amd64_base)) if finding.id not in PUBLIC_ROOTS]
    assert {finding.level for finding in found} <= {"note"}
    assert {finding.id for finding in found} <= {"expired", "expires-soon"}


def test_the_tree_with_an_anchor(amd64_base, tmp_path):
    root = tmp_path / "root"
    for name in ("etc", "usr/share/ca-certificates", "usr/local/share", "var/lib/dpkg"):
        shutil.copytree(amd64_base / name, root / name, symlinks=True)
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    install(str(root), InstallOptions(certs=[str(tmp_path / "my-ca.pem")], clouds=["c8y"]))
    assert {finding.level for finding in check(str(root), OPTIONS)} == {"note"}
