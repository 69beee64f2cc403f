"""What is remembered of a tree holds for a tree in which the same is found, and for no other."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rootfs_trust import InstallOptions, install
from rootfs_trust.audit.check import CheckRequest, findings, inspect
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.inputs.policy import DEFAULT_POLICY
from rootfs_trust.rootfs.result_cache import CachedResult
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import View
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree

AT = datetime(2026, 11, 1, tzinfo=UTC)
OTHER = Authority("Another CA")


def look(view: View) -> object:
    """Findings and anchors: whatever `check` and `list` ask of a tree."""
    found = [(each.id, each.path, each.message) for each in findings(inspect(view, CheckRequest(DEFAULT_POLICY, AT)))]
    return found, [(each.certificate.sha256, each.origin, each.paths, each.sources) for each in Trust(view).anchors]


@pytest.fixture(params=["debian", "fedora"])
def tree(request, tmp_path):
    family = next(each for each in FAMILIES if each.name == request.param)
    made = LayoutTree(tmp_path / "tree", family)
    install(made.root, InstallOptions(drop_unsourced=True))
    return made


def changes(root: Path) -> list[Path]:
    """Every entry but directories, to be changed one at a time."""
    entries = [
        Path(directory) / name for directory, directories, files in os.walk(root) for name in (*files, *directories)
    ]
    return sorted(path for path in entries if path.is_symlink() or path.is_file())


def change(path: Path) -> None:
    path.parent.chmod(0o755)  # files and directories of p11-kit are read-only
    if path.is_symlink():
        text = os.readlink(path)
        path.unlink()
        path.symlink_to(f"{text}x")
    elif path.suffix in (".crt", ".pem"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes() + OTHER.pem)
    else:
        path.unlink()


def test_the_same_tree_elsewhere_is_known(tree, tmp_path):
    calls = []

    def counted(view: View) -> object:
        calls.append(view)
        return look(view)

    remembered = CachedResult(counted)
    shutil.copytree(tree.path, tmp_path / "copy", symlinks=True)
    for root in (tree.path, tmp_path / "copy", tree.path):
        with RootDirectory(str(root)) as view:
            assert remembered(view) == look(view)
    assert len(calls) == 1


def test_a_tree_that_differs_in_one_entry_is_not_answered_from_the_cache(tree, tmp_path):
    remembered = CachedResult(look)
    with RootDirectory(tree.root) as view:
        first = remembered(view)
    different = 0
    for number, path in enumerate(changes(tree.path)[::2]):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(tree.path, copy, symlinks=True)
        change(copy / path.relative_to(tree.path))
        with RootDirectory(str(copy)) as view:
            expected = look(view)
            assert remembered(view) == expected, path
        different += expected != first
    assert different >= 4
