"""A sample of the matrix of faults for every day; ``python -m tests.faults`` is the whole of it."""

from __future__ import annotations

import itertools
import os
import shutil

import pytest

from tests.faults.calls import FAULTS, Run
from tests.faults.cases import CASES, STORE
from tests.faults.judge import Judge
from tests.faults.matrix import Matrix, summary
from tests.support.peers import needs_root, peer

TRIES = 24


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_faults_at_calls_spread_over_the_run(tmp_path, case):
    """Calls that write, each with the next kind of fault, and one in five of those that only look."""
    needs_root()
    peer("strace")
    matrix = Matrix(case, tmp_path)
    writing = [place for place, call in enumerate(matrix.calls) if call.writes]
    looking = [place for place, call in enumerate(matrix.calls) if not call.writes]
    places = [*_spread(writing, TRIES * 4 // 5), *_spread(looking, TRIES // 5)]
    tried = [matrix.attempt(place, fault) for place, fault in zip(places, itertools.cycle(FAULTS), strict=False)]
    assert [each for each in tried if each.wrong] == [], summary(tried)
    assert len(tried) > TRIES // 2
    assert {each.status for each in tried} >= {4, -9}


def _spread(places: list[int], count: int) -> list[int]:
    return places[:: max(1, -(-len(places) // count))]


# -- the judge itself ----------------------------------------------------------------------------------------

FAILED = Run(4, "rootfs-trust: error: /x: put failed: gone; nothing was written; not written: this\n", [], [])


@pytest.fixture
def judged(tmp_path):
    """A judge of a removal, and a tree as it was before."""
    case = CASES[1]
    before, after, tree = tmp_path / "before", tmp_path / "after", tmp_path / "tree"
    case.make(before)
    shutil.copytree(before, after, symlinks=True)
    for name in ("old.pem", "gone.pem"):
        (after / STORE / name).unlink()
    shutil.copytree(before, tree, symlinks=True)
    return Judge(case, before, after), tree


def wrong(judged, done=FAILED, *, killed=False) -> str:
    judge, tree = judged
    return "\n".join(judge.faults(tree, done, killed=killed, writing=True))


def test_a_tree_as_before_is_in_order(judged):
    assert wrong(judged) == ""


def test_a_half_file_is_seen_and_so_is_what_it_no_longer_holds(judged):
    os.truncate(judged[1] / STORE / "ca-certificates.crt", 700)
    assert "neither as before nor as after" in wrong(judged) and "bundle lost" in wrong(judged)


def test_a_lost_hash_link_is_seen(judged):
    certs = judged[1] / STORE
    next(name for name in certs.iterdir() if name.name.endswith(".0") and "Alpha" in os.readlink(name)).unlink()
    assert "by_hash lost" in wrong(judged)


@pytest.mark.parametrize(("name", "killed"), [(".rootfs-trust-1", False), (".rootfs-trust-1.pem", True)])
def test_what_is_left_behind_is_seen(judged, name, killed):
    (judged[1] / STORE / name).write_bytes(b"half")
    assert name in wrong(judged, killed=killed)
    (judged[1] / STORE / name).unlink()
    assert wrong(judged, killed=killed) == ""


def test_a_change_that_is_not_told_is_seen(judged):
    (judged[1] / STORE / "old.pem").unlink()
    assert "does not say that" in wrong(judged)
    told = FAILED._replace(errors=FAILED.errors.replace("nothing was written", f"written before: /{STORE}/old.pem"))
    assert "does not say" not in wrong(judged, told)


@pytest.mark.parametrize(("status", "errors"), [(1, FAILED.errors), (4, "Traceback\n"), (0, ""), (2, FAILED.errors)])
def test_another_end_is_seen(judged, status, errors):
    assert wrong(judged, Run(status, errors, [], []))
