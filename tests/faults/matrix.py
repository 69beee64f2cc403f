"""Every call of a run times every fault."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import one_process
from tests.faults.calls import FAULTS, INTERRUPTED, KILLED, PROGRAM, Call, Run, first_argument, run
from tests.faults.cases import Case
from tests.faults.judge import Judge
from tests.faults.site_judge import SiteJudge
from tests.faults.sites import command

_ENDS = {"SIGKILL": (KILLED,), "SIGTERM": (INTERRUPTED, 0)}
"""How a run may end after a signal: with one that comes after the last step it is done."""
PROGRAM_OF_ONE = Path(one_process.__file__)


class Tried(NamedTuple):
    case: str
    call: Call
    fault: str
    status: int
    wrong: list[str]


class Matrix:
    """One case: the undisturbed run, and any other of it."""

    def __init__(self, case: Case, folder: Path) -> None:
        self._case, self._log = case, folder / "log"
        # Nothing else of the run has this directory in its path.
        self._place = folder / "in-here"
        self._tree, pristine = self._place / "rootfs", folder / "pristine"
        self._pristine = pristine
        self._place.mkdir()
        case.make(pristine)
        self._words = case.words(self._tree)
        program = (os.fspath(PROGRAM_OF_ONE),) if case.one_process else PROGRAM
        self._how: dict[str, Any] = {"program": program, "programs": case.programs, "compiled": folder / "compiled"}
        self._reset()
        shutil.copytree(self._tree, folder / "before", symlinks=True)
        self.undisturbed = self._undisturbed()
        shutil.copytree(self._tree, folder / "after", symlinks=True)
        judge = Judge if case.images is None else SiteJudge
        self._judge: Judge | SiteJudge = judge(case, folder / "before", folder / "after")
        self._first_write = next(place for place, call in enumerate(self.calls) if call.writes)

    @property
    def calls(self) -> list[Call]:
        return self.undisturbed.calls

    def _undisturbed(self) -> Run:
        # The first run compiles modules; the second one tells.
        run(self._words, self._log, self._place, **self._how)
        self._reset()
        done = run(self._words, self._log, self._place, **self._how)
        if done.status != 0:
            raise SystemExit(f"{self._case.name}: {done.errors}")
        return done

    def tries(self, calls: Iterable[int], faults: Iterable[str] = FAULTS) -> Iterator[Tried]:
        faults = tuple(faults)
        for place in calls:
            for fault in faults:
                yield self.attempt(place, fault)

    def attempt(self, place: int, fault: str) -> Tried:
        call, killed = self.calls[place], fault == "SIGKILL"
        self._reset()
        done = run(self._words, self._log, self._place, fault=fault, at=call, **self._how)
        wrong = [] if self._hit(done, call) else [f"the fault did not come at this call: {done.injected}"]
        wrong += self._judge.faults(self._tree, done, killed=killed, writing=place >= self._first_write)
        wrong += [] if done.status in _ENDS.get(fault, (done.status,)) else [f"exit status {done.status}"]
        wrong += self._completed()
        told = done.errors.splitlines()[-1:] if wrong else []
        return Tried(self._case.name, call, fault, done.status, [*wrong, *told])

    def _hit(self, done: Run, call: Call) -> bool:
        return [first_argument(each) for each in done.injected] == [first_argument(call)] or done.status == KILLED

    def _completed(self) -> list[str]:
        """What the next plain run leaves that an undisturbed one does not."""
        noted = self._judge.noted(self._tree)
        status, output, errors = command(self._words, in_one_process=self._case.one_process)
        found = self._judge.look(self._tree)
        wanted = self._judge.after
        wrong = {name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}
        # What was removed in full is not there to be removed again, and a new directory is not a place for another one.
        done_already = {"remove": "no anchor is named old", "image-folder": "already exists"}
        said = next((words for name, words in done_already.items() if self._case.name.startswith(name)), None)
        if status and (wrong or said is None or said not in errors):
            return [f"the next run ends with {status}: {errors}"]
        told = [f"the next run leaves {name}: {found.get(name)}" for name in sorted(wrong)]
        return [*told, *self._judge.again(output, noted)]

    def _reset(self) -> None:
        if self._tree.exists():
            shutil.rmtree(self._tree)
        shutil.copytree(self._pristine, self._tree, symlinks=True)
        if self._case.settle is not None:
            self._case.settle(self._tree)


def summary(tried: list[Tried]) -> str:
    """What was tried, and how it ended."""
    names = {KILLED: "killed", INTERRUPTED: "interrupted"}
    ends = Counter(names.get(each.status, f"status {each.status}") for each in tried)
    calls = {(each.case, each.call.number, each.call.name) for each in tried}
    wrong = sum(bool(each.wrong) for each in tried)
    told = ", ".join(f"{ends[end]} {end}" for end in sorted(ends))
    return f"{len(tried)} faults at {len(calls)} calls: {told}; {len(tried) - wrong} survived, {wrong} did not"
