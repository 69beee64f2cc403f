"""What has to hold of a folder with sources and new images after a run in which something failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.faults.calls import INTERRUPTED, Run
from tests.faults.cases import Case
from tests.faults.judge import Tree, is_a_defect
from tests.faults.sites import JOURNAL
from tests.support.debian_tree import snapshot

STAGED = ".rootfs-trust"
"""How the names of unfinished images and of locks begin."""

_DONE = ("changed", "skipped", "unchanged")


class SiteJudge:
    """As :class:`~tests.faults.judge.Judge`, for cases with ``images``."""

    def __init__(self, case: Case, before: Path, after: Path) -> None:
        self._images = case.images or ()
        self._fleet = case.name == "fleet"
        self.before, self.after = self.look(before), self.look(after)
        self._policies = {each["target"]: each["policy"] for each in _noted(after)}

    @staticmethod
    def look(path: Path) -> Tree:
        """Entries with type, mode, owner and content: a new image has the time at which it was written."""
        return {name: (*entry[:3], entry[4]) for name, entry in snapshot(path).items() if name != JOURNAL}

    def faults(self, path: Path, done: Run, *, killed: bool, writing: bool) -> Iterator[str]:
        """What is wrong; see there."""
        found = self.look(path)
        yield from self._halves(found, done, killed)
        yield from self._journal(path, found)
        if killed:
            return
        if done.status == INTERRUPTED:
            if done.errors != "rootfs-trust: interrupted\n":
                yield f"does not say that it was interrupted: {done.errors}"
        elif is_a_defect(done.errors):
            yield f"a defect: {done.errors}"
        elif self._fleet and done.status in (0, 1):
            yield from self._results(done, found)
        else:
            yield from self._words(done, found, writing)

    def _halves(self, found: Tree, done: Run, killed: bool) -> Iterator[str]:
        for name in found.keys() | self.before.keys() | self.after.keys():
            staged = next((part for part in name.split("/") if part.startswith(STAGED)), None)
            if staged is not None:
                # A lock that cannot be removed is an empty file, which the next run takes over.
                is_lock = staged.startswith(f"{STAGED}.lock-")
                if not (killed or is_lock) and "the old one not removed" not in done.errors + done.output:
                    yield f"{name} was left behind, and not told"
            elif found.get(name) not in (self.before.get(name), self.after.get(name)):
                yield f"{name} is neither as before nor as after: {found.get(name)}"
        for image in self._images:
            if _part(found, image) not in (_part(self.before, image), _part(self.after, image)):
                yield f"{image} is half the old and half the new"

    # -- what is told --------------------------------------------------------------------------------------

    def _words(self, done: Run, found: Tree, writing: bool) -> Iterator[str]:
        found = {name: entry for name, entry in found.items() if f"/{STAGED}" not in f"/{name}"}
        if done.status == 0:
            if found != self.after:
                yield "ended well, and is not as it should be"
        elif done.status not in (2, 4):
            yield f"exit status {done.status}"
        elif len([line for line in done.errors.splitlines() if " error: " in line]) != 1:
            yield "not one line of error"
        elif done.status == 2:
            if found != self.before:
                yield "status 2 and something was written"
        elif not self._fleet:
            yield from self._told(done.errors, found)

    def _told(self, errors: str, found: Tree) -> Iterator[str]:
        told = {"nothing was written": self.before, "all changes are written": self.after}
        wanted = [tree for words, tree in told.items() if words in errors]
        if len(wanted) != 1:
            yield "does not say what was written"
        elif found != wanted[0]:
            yield "says what is not so"

    def _results(self, done: Run, found: Tree) -> Iterator[str]:
        results = [json.loads(line) for line in done.output.splitlines()]
        if sorted(each["target"] for each in results) != sorted(self._policies):
            yield "not a line for each target"
        if done.status != int(any(each["status"] == "failed" for each in results)):
            yield f"exit status {done.status} of {results}"
        for each in results:
            place = _place(each["target"])
            if each["status"] in _DONE and _part(found, place) != _part(self.after, place):
                yield f"{each['target']} is told to be {each['status']}, and is not as it should be"
            if each["status"] not in _DONE and not each["error"]:
                yield f"{each['target']} failed without a reason"

    # -- the journal ---------------------------------------------------------------------------------------

    def _journal(self, path: Path, found: Tree) -> Iterator[str]:
        for target in self.noted(path):
            if _part(found, _place(target)) != _part(self.after, _place(target)):
                yield f"{target} is noted as done, and is not"

    def noted(self, path: Path) -> set[str]:
        """The targets that the journal says are done as the run was to do them."""
        return {each["target"] for each in _noted(path) if each["policy"] == self._policies.get(each["target"])}

    def again(self, output: str, noted: set[str]) -> Iterator[str]:
        """What is wrong with the lines of the next run, by ``noted`` before it."""
        statuses = {each["target"]: each["status"] for each in map(json.loads, output.splitlines() if noted else ())}
        for target in sorted(noted):
            if statuses.get(target) != "skipped":
                yield f"{target} was done, and the next run says {statuses.get(target)}"


def _part(tree: Tree, place: str) -> Tree:
    return {
        name: entry for name, entry in tree.items() if f"{name}/".startswith(f"{place}/") and f"/{STAGED}" not in name
    }


def _place(target: str) -> str:
    """What a target of the fleet writes."""
    return target.replace("images/", "signed/")


def _noted(path: Path) -> list[Mapping[str, str]]:
    """The lines of the journal, each of which has to be whole; one that is cut off is the last."""
    journal = path / JOURNAL
    *lines, _ = journal.read_bytes().split(b"\n") if journal.exists() else (b"",)
    return [json.loads(line) for line in lines]
