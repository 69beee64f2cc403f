"""Breaks every promise of tests/mutation/promises.py, one at a time, and runs the tests that have to notice.

Each mutant is made in a copy of the repository, several copies at once. Prints a table and what survived; the exit
status is 1 where a mutant survives, hangs, or cannot be judged.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.mutation.promise import REPOSITORY, Promise
from tests.mutation.workspace import copy_repository
from tests.support.peers import PLAIN_ENVIRONMENT

LIMIT = 120
"""Seconds for the tests of one promise, the slowest of which take about ten."""

CAUGHT, SURVIVED, HANGS, UNJUDGED = "caught", "SURVIVED", "HANGS", "NOT JUDGED"
_TESTS_FAILED = 1  # exit status of pytest; 2 and above: it was interrupted, found no tests or could not import them


class Result(NamedTuple):
    """``test`` is the first that failed, or why the mutant cannot be judged."""

    promise: Promise
    verdict: str
    test: str
    seconds: float


def judge_promises(promises: Sequence[Promise], folder: Path, processes: int) -> list[Result]:
    """Break each promise in a copy below ``folder``; print a line each as it ends, and return the results in order."""
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for number in range(processes):
        copy_repository(folder / str(number))
        copies.put(folder / str(number))
    width = max(len(each.name) for each in promises)

    def judged(promise: Promise) -> Result:
        copy = copies.get()
        try:
            result = _judged(promise, copy)
        finally:
            copies.put(copy)
        print(f"{promise.name:{width}}  {result.verdict:10} {result.seconds:5.1f} s  {result.test}", flush=True)
        return result

    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(judged, promises))


def fails_unbroken(promises: Sequence[Promise], folder: Path) -> str:
    """Run the tests of all promises in an unbroken copy; return pytest's output if one fails, or nothing."""
    copy_repository(folder / "0")
    tests = {test for each in promises for test in _arguments(each, folder / "0")}
    there = sorted(each for each in tests if (folder / "0" / each.partition("::")[0]).exists())
    done = _pytest(there, folder / "0", None)
    return "" if done.returncode == 0 else done.stdout[-3000:]


def _judged(promise: Promise, copy: Path) -> Result:
    path = copy / promise.file
    path.write_text(promise.broken((REPOSITORY / promise.file).read_text()))
    begin = time.monotonic()
    try:
        done = _pytest(_arguments(promise, copy), copy, LIMIT)
        failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
        if done.returncode == _TESTS_FAILED and failed:
            verdict, test = CAUGHT, failed[1]
        elif done.returncode == 0:
            verdict, test = SURVIVED, promise.promise
        else:
            verdict, test = UNJUDGED, (done.stdout.strip() or "?").splitlines()[-1]
    except subprocess.TimeoutExpired:
        verdict, test = HANGS, f"no test failed within {LIMIT} s"
    finally:
        shutil.copy(REPOSITORY / promise.file, path)
    return Result(promise, verdict, test, time.monotonic() - begin)


def _arguments(promise: Promise, copy: Path) -> list[str]:
    """The promise's tests with patterns expanded; one that matches nothing stays, for pytest to complain about."""
    found: list[str] = []
    for each in promise.tests:
        path, colons, test = each.partition("::")
        matches = sorted(str(match.relative_to(copy)) for match in copy.glob(path))
        found += [f"{match}{colons}{test}" for match in matches] or [each]
    return found


def _pytest(tests: Sequence[str], copy: Path, limit: float | None) -> subprocess.CompletedProcess[str]:
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow", "--hypothesis-seed=0"]
    words = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {**PLAIN_ENVIRONMENT, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    # A separate session, so that a time limit also ends the programs that the tests have started.
    with (
        open(copy / "pytest.log", "w+") as log,
        subprocess.Popen(words, cwd=copy, env=environment, stdout=log, stderr=log, start_new_session=True) as running,
    ):
        try:
            running.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise
        log.seek(0)
        return subprocess.CompletedProcess(words, running.returncode, log.read())
