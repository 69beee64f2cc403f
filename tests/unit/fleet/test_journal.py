"""The journal: what is done is found again, what a kill cut off is not, and no two runs share one."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.fleet.change_detection import StampedPlace
from rootfs_trust.fleet.journal import Journal
from rootfs_trust.fleet.messages import JournalEntry, TargetResult

PLACES = (StampedPlace("folder", "/etc"), StampedPlace("end", "/odd\udcff\nname"))


def result(name: str, digest: str = "d") -> TargetResult:
    return TargetResult(name, "changed", digest, None, JournalEntry("policy", f"stamp of {name}", PLACES, digest))


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "fleet.toml.done")


def note(path: str, *results: TargetResult) -> None:
    with Journal(path) as journal:
        journal.note(results)


def found(path: str) -> dict[str, JournalEntry]:
    with Journal(path) as journal:
        return journal.done()


def test_what_was_done_is_found_and_the_last_time_counts(path):
    assert found(path) == {}
    note(path, result("a\udcff"), result("b"), TargetResult("c", "failed", "", "why"))
    note(path, result("b", "later"))
    assert found(path) == {"a\udcff": result("a\udcff").done, "b": result("b", "later").done}


def test_equal_places_are_kept_once(path):
    note(path, result("a"), result("b"))
    done = found(path)
    assert done["a"].places is done["b"].places


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_line_that_was_cut_off_does_not_count_and_spoils_no_other(path, cut):
    note(path, result("a"), result("b"))
    with open(path, "r+b") as file:
        file.truncate(len(file.read()) - cut)
    kept = {"a": result("a").done}
    assert found(path) == (kept if cut > 1 else {**kept, "b": result("b").done})
    note(path, result("c"))
    assert found(path) == {**kept, **({} if cut > 1 else {"b": result("b").done}), "c": result("c").done}


@pytest.mark.parametrize("line", ["[]", "{}", "3", '{"target": "a"}', '{"target": "a", "places": [1]}', "\udcff", ""])
def test_lines_that_are_not_ours(path, line):
    with open(path, "wb") as file:
        file.write(line.encode(errors="surrogateescape") + b"\n")
    note(path, result("b"))
    assert list(found(path)) == ["b"]


def test_one_run_at_a_time(path):
    with Journal(path), pytest.raises(InputError, match="another run uses it"):
        Journal(path)
    Journal(path).__exit__(None, None, None)


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="choose another path with --journal"):
        Journal(str(tmp_path / "missing/journal"))


@pytest.mark.parametrize("line", [b"[" * 90_000, b'{"target":' * 50_000, b'{"places": [[1]], "target": 1}', b"9" * 90])
def test_lines_of_somebody_else_do_not_count(path, line):
    with open(path, "wb") as file:
        file.write(line + b"\n")
    note(path, result("b"))
    assert list(found(path)) == ["b"]


@pytest.mark.parametrize("make", [lambda path: os.symlink("/dev/full", path), os.mkfifo, os.mkdir])
def test_a_journal_must_be_a_regular_file(path, make):
    """A device may never end, and a FIFO never begin."""
    make(path)
    with pytest.raises(InputError):
        Journal(path)
