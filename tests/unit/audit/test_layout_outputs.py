"""Each output of each layout: emptied or deleted, it is a finding of ``check``, and no output is unknown to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust import InstallOptions, check, install
from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.rootfs.plan import Link, Put
from rootfs_trust.rootfs.view import parent
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, Family, LayoutTree

CONDITIONAL = {"/etc/ssl/certs/java/cacerts"}
"""Written where it is there already: emptied, it is a finding; without it nothing is missing."""


def emptied(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
    else:
        path.unlink()
        path.write_bytes(b"")


def deleted(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture(scope="module")
def written(family: Family, tmp_path_factory: pytest.TempPathFactory) -> tuple[LayoutTree, set[str]]:
    """A tree with its store, and the paths at which files and links were written."""
    directory = tmp_path_factory.mktemp("outputs")
    (directory / "my-ca.pem").write_bytes(Authority("My CA").pem)
    tree = LayoutTree(directory / "rootfs", family)
    done = install(tree.root, InstallOptions(certs=[str(directory / "my-ca.pem")]))
    return tree, {each.path for each in done.actions if isinstance(each, Put | Link)}


def findings(root: Path) -> set[tuple[str, str]]:
    return {(each.id, each.path) for each in check(str(root))}


@pytest.mark.parametrize("damage", [emptied, deleted])
def test_each_output_that_is_damaged_is_a_finding(
    written: tuple[LayoutTree, set[str]], family: Family, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    tree, paths = written
    before, missed = findings(tree.path), []
    asked = {*LAYOUTS[family.name].outputs, *(CONDITIONAL & paths if damage is emptied else ())}
    for number, path in enumerate(sorted(asked)):
        copy = tmp_path / str(number)
        shutil.copytree(tree.path, copy, symlinks=True)
        damage((copy / path[1:]).resolve() if (copy / path[1:]).is_file() else copy / path[1:])
        if not findings(copy) - before and (damage is emptied or path not in family.optional):
            missed.append(path)
    assert missed == []


def test_whatever_is_written_is_a_source_or_in_an_output(written: tuple[LayoutTree, set[str]], family: Family) -> None:
    layout, (_, paths) = LAYOUTS[family.name], written
    outputs = {*layout.outputs, *CONDITIONAL}
    known = lambda path: path in outputs or parent(path) in {layout.local, *outputs}  # noqa: E731
    links = {path for path, _ in getattr(layout, "links", ())}
    assert {path for path in paths if not known(path)} <= links | {"/etc/ca-certificates.conf"}
