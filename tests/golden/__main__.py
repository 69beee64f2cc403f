"""Compares two versions of rootfs-trust on the same trees: ``python -m tests.golden OTHER_CHECKOUT``.

Every command runs on a tree of each layout, once with the other checkout's code and once with this one's, with fixed
times and the same certificates. Prints each difference in exit status, output, and what was written; the exit status
is 1 if there is any. Use it before and after a refactoring. ``--written`` leaves output out: for changes that reword
messages.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.golden.scenarios import SCENARIOS, Scenario
from tests.support.command import REPOSITORY
from tests.support.peers import PLAIN_ENVIRONMENT

EPOCH = "1750000000"
Entry = list[Any]
Pair = tuple[Entry | None, Entry | None]
SHOWN = 40
"""Lines shown of one difference."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("other", type=Path, help="the checkout to compare with, such as a worktree of main")
    parser.add_argument("--tree", action="append", help="name of a tree; all of them by default")
    parser.add_argument("--written", action="store_true", help="compare exit statuses and written files only")
    options = parser.parse_args(arguments)
    chosen = [each for each in SCENARIOS if not options.tree or each.name in options.tree]
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        compare = partial(differences, options.other.absolute(), REPOSITORY, Path(directory), written=options.written)
        count, steps = 0, 0
        for scenario, found in zip(chosen, pool.map(compare, chosen), strict=True):
            steps += len(scenario.commands)
            count += len(found)
            for each in found:
                print(each)
    print(f"{len(chosen)} trees, {steps} commands: {count or 'no'} difference{'s' if count != 1 else ''}")
    return 1 if count or not chosen else 0


def differences(old: Path, new: Path, directory: Path, scenario: Scenario, *, written: bool = False) -> list[str]:
    """Run ``scenario`` with the code of ``old`` and of ``new``, at the same path; return the differences as text."""
    pristine, place = directory / f"{scenario.name}.pristine", directory / scenario.name
    pristine.mkdir()
    scenario.build(pristine)
    results = [_run(checkout, scenario, pristine, place) for checkout in (old, new)]
    found: list[str] = []
    known: dict[str, Pair] = {}
    for words, before, after in zip(scenario.commands, *results, strict=True):
        title = f"{scenario.name}: rootfs-trust {' '.join(words)}"
        files = _different_files(before["files"], after["files"])
        found += [f"{title}: {each}" for each in _compared(before, after, written=written)]
        found += [f"{title}: {path}\n{_of(*pair)}" for path, pair in files.items() if known.get(path) != pair]
        known = files
    return found


def _run(checkout: Path, scenario: Scenario, pristine: Path, place: Path) -> list[Any]:
    shutil.copytree(pristine, place, symlinks=True)
    try:
        done = subprocess.run(
            [sys.executable, "-P", Path(__file__).with_name("runner.py"), checkout],
            input=json.dumps(scenario.commands),
            env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(checkout), "SOURCE_DATE_EPOCH": EPOCH},
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(place)
    if done.returncode:
        sys.exit(f"{checkout}, {scenario.name}: {done.stderr}")
    return json.loads(done.stdout)


def _compared(old: Mapping[str, Any], new: Mapping[str, Any], *, written: bool) -> Iterator[str]:
    if old["status"] != new["status"]:
        yield f"exit status {old['status']} is now {new['status']}\n{new['stderr'][-2000:]}"
    for stream in () if written else ("stdout", "stderr"):
        if old[stream] != new[stream]:
            yield f"{stream}\n{_difference(old[stream], new[stream])}"


def _different_files(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> dict[str, Pair]:
    pairs = {path: (old.get(path), new.get(path)) for path in sorted(old.keys() | new.keys())}
    return {path: (before, after) for path, (before, after) in pairs.items() if before != after}


def _of(old: Entry | None, new: Entry | None) -> str:
    return _difference(_described(old), _described(new))


def _described(entry: Entry | None) -> str:
    if entry is None:
        return "(does not exist)\n"
    *status, content = entry
    return f"{' '.join(map(str, status))}\n{content}"


def _difference(old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]
    more = [f"    ... {len(lines) - SHOWN} more lines"] if len(lines) > SHOWN else []
    return "\n".join([f"    {line[:300]}" for line in lines[:SHOWN]] + more)


if __name__ == "__main__":
    sys.exit(main())
