"""Any number of mazes against the kernel: ``python -m tests.mazes --count 1000000``; ends at the first difference."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from rootfs_trust.api.output_file import place_in
from rootfs_trust.rootfs.copy import TreeCopy
from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support import mazes
from tests.support.debian_tree import snapshot

COPIED = 50
"""One of so many mazes is copied, too."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mazes", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="mazes to try (default: a million)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first one; each has the next number")
    options = parser.parse_args()
    start, paths, found = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as directory:
        for seed in range(options.seed, options.seed + options.count):
            asked, there, wrong = _try(directory, seed)
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


def _try(directory: str, seed: int) -> tuple[int, int, list[object]]:
    maze = mazes.draw(Random(seed), os.fsencode(directory))
    with RootDirectory(directory) as root, mazes.built(maze, root.fd):
        wrong: list[object] = [*mazes.differences(root, maze), *_outputs(directory, root, maze)]
        if seed % COPIED == 0 and not any(entry.kind == "sparse" for entry in maze.entries):
            wrong += _copy(directory)
        there = sum(root.real_path(mazes.as_text(path)) is not None for path in maze.paths)
    return len(maze.paths), there, [*wrong, *maze.entries] if wrong else []


def _outputs(directory: str, root: RootDirectory, maze: mazes.Maze) -> Iterator[str]:
    """An output file of each path leads into the tree, and there to where the device comes to."""
    for path in map(mazes.as_text, maze.paths):
        found = place_in(directory + path, [directory])
        if found is None or root.real_path(found[1]) != root.real_path(path):
            yield f"an output at {path!r} would be written at {found}"


def _copy(directory: str) -> Iterator[str]:
    """The copy that ``image`` makes of the maze has the same entries."""
    with tempfile.TemporaryDirectory() as dest:
        TreeCopy(directory, dest).run()
        one, other = snapshot(Path(directory)), snapshot(Path(dest))
        if one != other:
            yield f"the copy differs: {set(one.items()) ^ set(other.items())}"


if __name__ == "__main__":
    sys.exit(main())
