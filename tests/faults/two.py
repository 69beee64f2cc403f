"""Two runs at the same time: ``python -m tests.faults.two --rounds 300``.

Whatever their timing, what they leave has to be what the one after the other leaves, in one of the two orders. Half of
the rounds start the second run a little later than the first. In the other half both runs are held up at the lock, by
this program that has it, until the kernel says that both wait for it, and are then let go together: a run that does not
wait is wrong whatever it leaves.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from tests.faults.calls import ENVIRONMENT
from tests.faults.cases import CASES, EPOCH, STORE, authority
from tests.faults.judge import Tree, look
from tests.faults.sites import SITES
from tests.support.debian_tree import DebianTree
from tests.support.images import LayoutDirectory, Tarball, docker_archive

INSTALL, REMOVE, REHASH, P11KIT = CASES[:4]
REMOVAL = next(case for case in SITES if case.name == "image-remove")
Words = Callable[[Path], list[str]]
PATIENCE = 30
"""Seconds until both runs wait for the lock."""


class Pair(NamedTuple):
    """``lock`` is what both runs lock, below the tree. ``statuses``: exit statuses of the two, in any order."""

    name: str
    make: Callable[[Path], None]
    one: Words
    other: Words
    lock: str = "."
    statuses: tuple[int, int] = (0, 0)


def _given(path: Path, name: str) -> str:
    given = path.parent.parent / f"{name}.pem"
    given.write_bytes(authority(name).pem)
    return str(given)


def _renew(name: str) -> Words:
    """Another CA under the one name: which of two came last shows in every file of the store."""

    def words(path: Path) -> list[str]:
        config = path.parent.parent / f"{name}.toml"
        config.write_text(f'[[anchor]]\nfile = "{_given(path, name)}"\nname = "renewed"\nreplace = true\n')
        return ["install", "--root", str(path), "--config", str(config)]

    return words


def _install_old(path: Path) -> list[str]:
    return ["install", "--root", str(path), "--cert", _given(path, "Old CA")]


def _remove_old(path: Path) -> list[str]:
    return ["remove", "--root", str(path), f"sha256:{authority('Old CA').sha256}"]


def _report(form: str) -> Words:
    more = ["--format", form, "--at", "2026-01-01"]
    return lambda path: ["report", "--root", str(path), "-o", f"{path}/etc/report", *more]


def _fleet(path: Path) -> list[str]:
    config, fleet = path.parent.parent / "job.toml", path.parent.parent / "fleet.toml"
    config.write_text(f'[[anchor]]\nfile = "{_given(path, "Of the fleet")}"\nname = "renewed"\nreplace = true\n')
    fleet.write_text(f'[[target]]\nroot = "{path}"\nconfig = "job.toml"\n')
    return ["fleet", str(fleet), "-q", "--fresh"]


def _images(path: Path) -> None:
    layer = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").end()
    layout = LayoutDirectory(path / "layout")
    layout.index(layout.image(layer))
    (path / "archive").write_bytes(docker_archive({"layers": [layer]}))
    (path / "tar").write_bytes(layer)
    DebianTree(path / "folder")
    install(str(path / "folder"), InstallOptions(timestamp=EPOCH))


def _image(form: str, *more: str) -> Words:
    def words(path: Path) -> list[str]:
        return ["image", str(path / form), str(path / "dest"), "--cert", _given(path, "New CA"), "-q", *more]

    return words


PAIRS = (
    Pair("install and install", INSTALL.make, _renew("First CA"), _renew("Second CA")),
    Pair("install and remove", INSTALL.make, _install_old, _remove_old),
    Pair("p11-kit and Java: install and install", P11KIT.make, _renew("First CA"), _renew("Second CA")),
    Pair("p11-kit and Java: install and remove", P11KIT.make, _install_old, _remove_old),
    Pair("twice the same install", INSTALL.make, INSTALL.words, INSTALL.words),
    Pair(
        "install and rehash",
        INSTALL.make,
        INSTALL.words,
        lambda path: ["rehash", "--root", str(path), f"/{STORE}"],
        STORE,
    ),
    Pair("install and fleet", INSTALL.make, _renew("First CA"), _fleet),
    Pair("rehash and rehash", REHASH.make, REHASH.words, REHASH.words, STORE),
    Pair("reports into the tree", INSTALL.make, _report("html"), _report("md")),
    Pair("install and a report", INSTALL.make, INSTALL.words, _report("md")),
    Pair("images: layouts", _images, _image("layout"), _image("layout"), ".rootfs-trust.lock-dest"),
    Pair("images: archives", _images, _image("archive"), _image("archive"), ".rootfs-trust.lock-dest"),
    Pair("images: tar files", _images, _image("tar"), _image("tar"), ".rootfs-trust.lock-dest"),
    Pair("images: folders", _images, _image("folder"), _image("folder"), ".rootfs-trust.lock-dest", (0, 3)),
    Pair("images: removals", REMOVAL.make, REMOVAL.words, REMOVAL.words, ".rootfs-trust.lock-signed"),
    Pair("images: two kinds", _images, _image("layout"), _image("tar"), ".rootfs-trust.lock-dest", (0, 3)),
)


class Rounds:
    """Of one pair: the answers that are right, and any number of rounds."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self._pair = pair
        self._tree, self._pristine = folder / "in/rootfs", folder / "pristine"
        pair.make(self._pristine)
        self._tree.parent.mkdir()
        self._words = pair.one(self._tree), pair.other(self._tree)
        self.answers = self._after(*self._words), self._after(*reversed(self._words))

    def _after(self, *order: list[str]) -> Tree:
        self._reset()
        for words in order:
            _start(words).communicate(timeout=60)
        return self._look()

    def _look(self) -> Tree:
        """New images have the times at which they were written."""
        return {
            name: (*entry[:3], None, entry[4]) if name.startswith(("dest", "signed")) else entry
            for name, entry in look(self._tree).items()
        }

    def _reset(self) -> None:
        shutil.rmtree(self._tree, ignore_errors=True)
        shutil.copytree(self._pristine, self._tree, symlinks=True)

    def round(self, delay: float | None) -> tuple[int, str]:
        """Which of the two orders it looks like (0 or 1), and what is wrong; ``delay`` None: both wait for the lock."""
        self._reset()
        if delay is None:
            with _held(self._tree / self._pair.lock):
                runs = [_start(words) for words in self._words]
                waited = _both_wait(runs)
        else:
            runs = [_start(self._words[0])]
            time.sleep(delay)
            runs.append(_start(self._words[1]))
            waited = True
        errors = [each.communicate(timeout=60)[1].decode() for each in runs]
        found = self._look()
        if not waited:
            return 0, "not both of them waited for the lock"
        if tuple(sorted(each.returncode for each in runs)) != self._pair.statuses:
            return 0, f"exit status {[each.returncode for each in runs]}: {errors}"
        if found not in self.answers:
            return 0, f"neither the one order nor the other: {set(found.items()) ^ set(self.answers[0].items())}"
        return self.answers.index(found), ""


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Have the lock: of a directory, or of a lock file, which whoever has it takes away before he lets go."""
    made = not path.exists()
    fd = os.open(path, os.O_CREAT | os.O_RDWR if made else os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if made:
            path.unlink()
        os.close(fd)


def _both_wait(runs: list[subprocess.Popen[bytes]]) -> bool:
    """Whether the kernel lists each run, or a process of it, as one that waits for a lock (proc_locks(5), ``->``)."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and all(each.poll() is None for each in runs):
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        waiting = {int(line[5]) for line in lines if line[1] == "->"}
        if all({each.pid, *_children(each.pid)} & waiting for each in runs):
            return True
        time.sleep(0.02)
    return False


def _children(pid: int) -> list[int]:
    try:
        found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [each for child in found for each in (child, *_children(child))]


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    run = [sys.executable, "-m", "rootfs_trust", *words]
    return subprocess.Popen(run, env=ENVIRONMENT, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.two", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of all pairs together (default: 300)")
    parser.add_argument("--pair", action="append", help="only pairs whose name begins so")
    options = parser.parse_args()
    random, wrong, total = Random(0), 0, 0
    pairs = [pair for pair in PAIRS if not options.pair or pair.name.startswith(tuple(options.pair))]
    for pair in pairs:
        seen: Counter[int] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            rounds = Rounds(pair, Path(folder))
            for number in range(max(2, options.rounds // len(pairs))):
                order, told = rounds.round(None if number % 2 else random.uniform(0, 0.3))
                seen[order] += 1
                if told:
                    wrong += 1
                    print(f"{pair.name}: {told}", flush=True)
        differ = "" if rounds.answers[0] != rounds.answers[1] else ", whose answers are the same"
        told = f"{seen[0]} as the first order, {seen[1]} as the second{differ}"
        count = f"{seen.total()} rounds, in {seen.total() // 2} of which both waited"
        print(f"{pair.name}: {count}; {told}", flush=True)
        total += seen.total()
    print(f"all: {wrong} of {total} rounds went wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
