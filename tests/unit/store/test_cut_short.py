"""A removal that was cut short is completed by the same request, in every layout, wherever it was cut.

Each action of a plan is one rename, link or unlink, so that a run that dies leaves the first few of them done.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.planning import Decision, decide, read_job
from rootfs_trust.api.remove import remove
from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.apply import apply
from rootfs_trust.rootfs.plan import Plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support.authority import Authority
from tests.support.debian_tree import contents
from tests.support.layout_trees import FAMILIES, Family, LayoutTree

FIRST, SECOND = Authority("First CA"), Authority("Second CA")


def requests(family: Family) -> dict[str, tuple[str, ...]]:
    """What is removed: installed anchors by name and digest, and one that the distribution ships."""
    return {"one": ("First_CA",), "all kinds": ("Second_CA", family.names[0], f"sha256:{FIRST.sha256}")}


CASES = [
    pytest.param(family, names, id=f"{family.name}-{name}")
    for family in FAMILIES
    for name, names in requests(family).items()
]


def made(directory: Path, family: Family) -> Path:
    tree = LayoutTree(directory / "rootfs", family)
    for name, authority in (("First_CA", FIRST), ("Second_CA", SECOND)):
        (directory / f"{name}.pem").write_bytes(authority.pem)
    install(tree.root, InstallOptions([str(directory / f"{name}.pem") for name in ("First_CA", "Second_CA")]))
    return tree.path


def decided(tree: Path, names: tuple[str, ...]) -> Decision:
    with RootDirectory(str(tree)) as root:
        return decide(root, read_job(InstallOptions(without=names)))


def cut_short(tree: Path, plan: Plan, done: int) -> None:
    with RootDirectory(str(tree)) as root:
        apply(root, Plan(plan.actions[:done]), owner=None, timestamp=None)


@pytest.mark.parametrize(("family", "names"), CASES)
def test_the_same_request_completes_an_interrupted_run(tmp_path, family, names):
    pristine, tree = made(tmp_path, family), tmp_path / "tree"
    plan = decided(pristine, names).plan
    for done in range(len(plan.actions) + 1):
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(pristine, tree, symlinks=True)
        cut_short(tree, plan, done)
        try:
            remove(str(tree), names)
        except InputError as error:
            # What was removed in full is not there to be removed again.
            assert {each.id for each in error.problems} == {"not-found"} and done == len(plan.actions)
        if done == 0:
            wanted = contents(tree)
        assert contents(tree) == wanted, f"after {plan.actions[:done]}"


def test_a_name_that_matches_nothing_is_an_error_beside_one_that_does(tmp_path):
    tree = made(tmp_path, FAMILIES[0])
    before = contents(tree)
    with pytest.raises(InputError, match="no anchor is named Third_CA"):
        remove(str(tree), ("First_CA", "Third_CA"))
    assert contents(tree) == before
    remove(str(tree), ("First_CA",))
    # The other one is still in the bundle: no run that removes it was begun.
    with pytest.raises(InputError, match="no anchor is named First_CA"):
        remove(str(tree), ("First_CA", FAMILIES[0].names[0]))


def test_what_an_earlier_run_removed_is_a_warning(tmp_path):
    tree = made(tmp_path, FAMILIES[0])
    names = ("First_CA", "Second_CA")
    plan = decided(tree, names).plan
    cut_short(tree, plan, len(plan.actions) - 1)
    warnings = remove(str(tree), names).warnings
    assert [(each.id, each.hint) for each in warnings] == [("not-found", "an interrupted run has already removed it")]
