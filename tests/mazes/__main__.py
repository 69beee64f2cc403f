"""Any number of mazes against the kernel: ``python -m tests.mazes --count 1000000``; ends at the first difference."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from random import Random

from rootfs_trust.rootfs.door import Root
from tests.support import mazes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mazes", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="mazes to try (default: a million)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; each has the next number")
    options = parser.parse_args()
    start, paths, found = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.count):
            asked, there, wrong = _try(folder, seed)
            paths += asked
            found += there
            if wrong:
                print(f"seed {seed}:", *wrong, sep="\n  ")
                return 1
    seconds = time.monotonic() - start
    print(
        f"{options.count} mazes, {paths} paths of which {found} lead somewhere, each resolved as openat2 with "
        f"RESOLVE_IN_ROOT does; {seconds:.0f} s, {options.count / seconds:.0f} mazes a second"
    )
    return 0


def _try(folder: str, seed: int) -> tuple[int, int, list[object]]:
    maze = mazes.draw(Random(seed), os.fsencode(folder))
    with Root(folder) as root, mazes.built(maze, root.fd):
        wrong = mazes.differences(root, maze)
        there = sum(root.real_path(mazes.as_text(path)) is not None for path in maze.paths)
    return len(maze.paths), there, [*wrong, *maze.entries] if wrong else []


if __name__ == "__main__":
    sys.exit(main())
