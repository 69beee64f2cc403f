"""Two runs on one root at the same time: ``python -m tests.faults.two --rounds 300``.

Whatever their timing, the tree has to be what the one after the other leaves, in one of the two orders.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.faults.calls import ENVIRONMENT
from tests.faults.cases import CASES, authority
from tests.faults.judge import Tree, look

INSTALL, REMOVE, REHASH = CASES
Words = Callable[[Path], list[str]]


class Pair(NamedTuple):
    name: str
    make: Callable[[Path], None]
    one: Words
    other: Words


def _install_another(path: Path) -> list[str]:
    given = path.parent.parent / "another.pem"
    given.write_bytes(authority("Another new CA").pem)
    return ["install", "--root", str(path), "--cert", str(given)]


PAIRS = (
    Pair("install and install", INSTALL.make, INSTALL.words, _install_another),
    Pair("install and remove", INSTALL.make, INSTALL.words, REMOVE.words),
    Pair("twice the same install", INSTALL.make, INSTALL.words, INSTALL.words),
    Pair("rehash and rehash", REHASH.make, REHASH.words, REHASH.words),
)


class Rounds:
    """Of one pair: the answers that are right, and any number of rounds."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self._tree, self._pristine = folder / "in/rootfs", folder / "pristine"
        pair.make(self._pristine)
        self._tree.parent.mkdir()
        self._words = pair.one(self._tree), pair.other(self._tree)
        self.answers = self._after(*self._words), self._after(*reversed(self._words))

    def _after(self, *order: list[str]) -> Tree:
        self._reset()
        for words in order:
            _start(words).communicate(timeout=60)
        return look(self._tree)

    def _reset(self) -> None:
        shutil.rmtree(self._tree, ignore_errors=True)
        shutil.copytree(self._pristine, self._tree, symlinks=True)

    def round(self, delay: float) -> tuple[int, str]:
        """Which of the two orders it looks like (0 or 1), and what is wrong."""
        self._reset()
        one = _start(self._words[0])
        time.sleep(delay)
        other = _start(self._words[1])
        errors = [each.communicate(timeout=60)[1].decode() for each in (one, other)]
        found = look(self._tree)
        if one.returncode or other.returncode:
            return 0, f"exit status {one.returncode} and {other.returncode}: {errors}"
        if found not in self.answers:
            return 0, f"neither the one order nor the other: {set(found.items()) ^ set(self.answers[0].items())}"
        return self.answers.index(found), ""


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-m", "rootfs_trust", *words]
    return subprocess.Popen(run, env=ENVIRONMENT, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.two", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of all pairs together (default: 300)")
    options = parser.parse_args()
    random, wrong = Random(0), 0
    for pair in PAIRS:
        seen: Counter[int] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            rounds = Rounds(pair, Path(folder))
            for _ in range(options.rounds // len(PAIRS)):
                # Either may come first: the second one starts up to as much later as a start differs anyway.
                order, told = rounds.round(random.uniform(0, 0.05))
                seen[order] += 1
                if told:
                    wrong += 1
                    print(f"{pair.name}: {told}")
        differ = "" if rounds.answers[0] != rounds.answers[1] else ", whose answers are the same"
        print(f"{pair.name}: {seen.total()} rounds, {seen[0]} as the first order, {seen[1]} as the second{differ}")
    print(f"all: {wrong} of {options.rounds // len(PAIRS) * len(PAIRS)} rounds went wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
