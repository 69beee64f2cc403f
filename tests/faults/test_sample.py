"""A sample of the matrix of faults for every day; ``python -m tests.faults`` is the whole of it."""

from __future__ import annotations

import itertools
import os
import py_compile
import shutil
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from rootfs_trust.cli import rehash
from tests.faults.calls import FAULTS, INTERRUPTED, Run
from tests.faults.cases import CASES, STORE
from tests.faults.judge import Judge
from tests.faults.matrix import Matrix, summary
from tests.faults.site_judge import SiteJudge
from tests.faults.sites import SITES, command
from tests.support.peers import needs_root, peer

TRIES = 24


@pytest.mark.slow
@pytest.mark.parametrize("case", (*CASES, *SITES), ids=lambda case: case.name)
def test_faults_at_calls_spread_over_the_run(tmp_path, case):
    """Calls that write, each with the next kind of fault, and one in five of those that only look.

    A run that starts programs has few calls that write: each of them is tried with every kind.
    """
    needs_root()
    peer("strace")
    matrix = Matrix(case, tmp_path)
    writing = [place for place, call in enumerate(matrix.calls) if call.writes]
    looking = [place for place, call in enumerate(matrix.calls) if not call.writes]
    places = [*_spread(writing, TRIES * 4 // 5), *_spread(looking, TRIES // 5)]
    pairs = list(zip(places, itertools.cycle(FAULTS), strict=False))
    if case.programs:
        pairs += [each for each in itertools.product(writing, FAULTS) if each not in pairs]
    tried = [matrix.attempt(place, fault) for place, fault in pairs]
    assert [each for each in tried if each.wrong] == [], summary(tried)
    assert len(tried) > TRIES // 2
    # A fleet tries a target again after a fault of the disk.
    assert {each.status for each in tried} >= ({0, -9} if case.one_process else {4, -9})


@pytest.mark.slow
def test_a_run_has_the_same_calls_if_its_modules_are_compiled_meanwhile(tmp_path):
    """As a test that runs beside it does. Such a run opens fewer files, so that faults came at other calls."""
    needs_root()
    peer("strace")
    compiled = Path(cache_from_source(rehash.__file__))
    compiled.unlink(missing_ok=True)
    matrix = Matrix(CASES[2], tmp_path)
    py_compile.compile(rehash.__file__)
    opening = [place for place, call in enumerate(matrix.calls) if call.name == "openat"]
    assert matrix.attempt(opening[-1], "EIO").wrong == []


def _spread(places: list[int], count: int) -> list[int]:
    return places[:: max(1, -(-len(places) // count))]


# -- the judge itself ----------------------------------------------------------------------------------------

FAILED = Run(4, "rootfs-trust: error: /x: put failed: gone; nothing was written; not written: this\n", "", [], [])


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


@pytest.mark.parametrize("warned", ["", "rootfs-trust: warning: /x: has no effect\n"])
def test_an_interrupted_run_says_so_in_its_last_line_and_reports_no_error(judged, warned):
    """A signal may come with the last line of output, after the warnings of the run."""
    said = "rootfs-trust: interrupted\n"
    assert wrong(judged, Run(INTERRUPTED, warned + said, "", [], [])) == ""
    for errors in (warned, f"{said}rootfs-trust: warning: x\n", FAILED.errors + said, f"Traceback\n{said}"):
        assert wrong(judged, Run(INTERRUPTED, errors, "", [], []))


@pytest.mark.parametrize(("status", "errors"), [(1, FAILED.errors), (4, "Traceback\n"), (0, ""), (2, FAILED.errors)])
def test_another_end_is_seen(judged, status, errors):
    assert wrong(judged, Run(status, errors, "", [], []))


# -- the judge of new images ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """The fleet before and after its run, and the judge of it."""
    folder = tmp_path_factory.mktemp("fleet")
    case, before, after = SITES[-1], folder / "before", folder / "after"
    case.make(after)
    case.settle(after)
    shutil.copytree(after, before, symlinks=True)
    _, output, _ = command(case.words(after), in_one_process=True)
    return SiteJudge(case, before, after), before, after, Run(0, "", output, [], [])


@pytest.fixture
def found(fleet, tmp_path):
    """A copy of the fleet as it should be."""
    return shutil.copytree(fleet[2], tmp_path / "site", symlinks=True)


def spoilt(fleet, path, done=None, *, killed=False) -> str:
    return "\n".join(fleet[0].faults(path, done or fleet[3], killed=killed, writing=True))


def test_a_fleet_as_it_should_be_is_in_order(fleet, found):
    assert spoilt(fleet, found) == "" and len(fleet[0].noted(found)) == 4


def test_an_image_that_is_half_the_old_and_half_the_new_is_seen(fleet, found):
    """Each file of it is a whole one."""
    shutil.copy(fleet[1] / "signed/a/index.json", found / "signed/a/index.json")
    assert "signed/a is half the old and half the new" in spoilt(fleet, found, killed=True)


def test_an_image_that_is_gone_is_seen_and_so_is_a_source(fleet, found):
    shutil.rmtree(found / "signed/a")
    (found / "images/b.tar").unlink()
    told = spoilt(fleet, found, killed=True)
    assert "signed/a is half" in told and "images/b.tar is neither" in told


def test_what_is_noted_or_told_too_early_is_seen(fleet, found):
    shutil.copy(fleet[1] / "signed/b.tar", found / "signed/b.tar")
    told = spoilt(fleet, found)
    assert "images/b.tar is noted as done, and is not" in told and "is told to be changed" in told
    assert "the next run says None" in "\n".join(fleet[0].again("", {"out/a"}))


@pytest.mark.parametrize("name", [".rootfs-trust-a", ".rootfs-trust-b.tar"])
def test_a_staged_image_that_is_left_behind_is_seen(fleet, found, name):
    (found / "signed" / name).write_bytes(b"half")
    assert name in spoilt(fleet, found) and spoilt(fleet, found, killed=True) == ""
