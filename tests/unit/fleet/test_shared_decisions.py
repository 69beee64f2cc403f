"""Trees with equal content share one decision; a tree that differs in anything that was read gets its own."""

from __future__ import annotations

import shutil

import pytest

from rootfs_trust.fleet import policies, root_task
from rootfs_trust.fleet.worker import run_batch
from tests.support.authority import Authority
from tests.support.debian_tree import SHIPPED, DebianTree, contents

BUNDLE = "etc/ssl/certs/ca-certificates.crt"
LOCAL = "usr/local/share/ca-certificates"


@pytest.fixture
def decided(monkeypatch):
    """The trees that were decided for, not answered from the cache."""
    policies.load_job.cache_clear()
    root_task._decide.cache_clear()
    trees = []
    decide = root_task.decide

    def counted(view, job):
        trees.append(view)
        return decide(view, job)

    monkeypatch.setattr(root_task, "decide", counted)
    return trees


def equal_trees(fleet, count: int) -> list[DebianTree]:
    (first,) = fleet.grow(1)
    for number in range(1, count):
        path = fleet.directory / f"out/{number:02}/rootfs"
        shutil.copytree(first.path, path, symlinks=True)
        tree = object.__new__(DebianTree)
        tree.path = path
        fleet.trees.append(tree)
    return fleet.trees


def test_equal_trees_share_a_decision_and_get_the_same_store(fleet, decided):
    trees = equal_trees(fleet, 4)
    results = run_batch(fleet.batch())
    assert [each.status for each in results] == ["changed"] * 4
    assert len(decided) == 1
    assert len({each.digest for each in results}) == 1
    assert all(tree.read(BUNDLE) == trees[0].read(BUNDLE) for tree in trees)


def test_equal_trees_share_the_replacement_of_a_ca(fleet, decided):
    trees = equal_trees(fleet, 3)
    run_batch(fleet.batch())
    renewed = fleet.renew()
    policies.load_job.cache_clear()
    results = run_batch(fleet.batch())
    assert [each.status for each in results] == ["changed"] * 3
    assert len(decided) == 2
    assert all(renewed.pem in tree.read(BUNDLE) for tree in trees)


DIFFERENCES = pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"usr/share/ca-certificates/{SHIPPED[0]}", Authority("Shipped later").pem),
        ("etc/ca-certificates.conf", f"!{SHIPPED[0]}\n{SHIPPED[1]}\n{SHIPPED[2]}\n".encode()),
        (f"{LOCAL}/company.crt", Authority("Company CA").pem),
        ("etc/tedge/tedge.toml", b'[device]\nid = "another"\n'),
    ],
    ids=["a shipped certificate", "the list", "a local certificate", "tedge.toml"],
)


@DIFFERENCES
def test_a_tree_that_differs_gets_its_own_decision(fleet, decided, path, content):
    _, other, _ = equal_trees(fleet, 3)
    other.write(path, content)
    alone = fleet.copy("alone")
    run_batch(fleet.batch())
    assert len(decided) == 2
    root_task._decide.cache_clear()
    alone.trees = alone.trees[1:2]
    run_batch(alone.batch())
    assert contents(other.path) == contents(alone.trees[0].path)


def test_a_conflict_in_one_tree_is_not_the_decision_for_another(fleet, decided):
    _, fixed = equal_trees(fleet, 2)
    for tree in fleet.trees:
        (tree.path / BUNDLE).mkdir(parents=True)
    (fixed.path / BUNDLE).rmdir()
    results = run_batch(fleet.batch())
    assert [each.status for each in results] == ["failed", "changed"]


@DIFFERENCES
def test_a_later_run_sees_a_change_in_a_tree_that_shared_the_decision(fleet, decided, path, content):
    """The next run skips a tree if nothing that the decision depended on has changed."""
    _, other = equal_trees(fleet, 2)
    done = {each.target: each.done for each in run_batch(fleet.batch())}
    assert len(decided) == 1
    assert [each.status for each in run_batch(fleet.batch(done))] == ["skipped", "skipped"]
    other.write(path, content)
    first, second = run_batch(fleet.batch(done))
    assert first.status == "skipped"
    assert second.status != "skipped"
