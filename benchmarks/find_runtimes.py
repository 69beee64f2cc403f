"""What it costs to find the stores of runtimes: one walk over a tree of many files, on a warm disk.

    python benchmarks/find_runtimes.py [--files N] [--runs N]

The tree has N files (100,000 by default), 20 a directory, seven directories deep, as Python's and Node's packages are.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.runtimes.find import find_stores

FILES_A_DIRECTORY = 20


def build(root: Path, files: int) -> None:
    """Make the tree, and one copy of certifi at its end."""
    for number in range(files // FILES_A_DIRECTORY):
        directory = root / f"usr/lib/python3/dist-packages/p{number % 97}/q{number % 11}/r{number}"
        directory.mkdir(parents=True)
        for name in range(FILES_A_DIRECTORY):
            (directory / f"module{name}.py").touch()
    store = root / "usr/lib/python3/dist-packages/zz/pip/_vendor/certifi"
    store.mkdir(parents=True)
    (store / "cacert.pem").touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        build(Path(directory), options.files)
        times = []
        for _ in range(options.runs + 1):
            start = time.perf_counter()
            with RootDirectory(directory) as view:
                search = find_stores(view)
            times.append(time.perf_counter() - start)
            assert len(search.stores) == 1
        median = statistics.median(times[1:])
        print(
            f"{options.files} files: {median:.2f} s (median of {options.runs} walks, {min(times[1:]):.2f} s the best)"
        )


if __name__ == "__main__":
    main()
