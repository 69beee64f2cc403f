"""Time and memory of ``list`` on images of a tree with very many files: python -m benchmarks.filesystem_images."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.debian_tree import DebianTree
from tests.support.filesystem_images import cpio, erofs, ext, squashfs

GIB = 1 << 30
MAKERS = {
    "ext4, 2 GB": ext("ext4", "-N", "250000", size=2 * GIB),
    "squashfs, gzip": squashfs("gzip"),
    "squashfs, lz4": squashfs("lz4"),
    "erofs, lz4": erofs("-zlz4"),
    "cpio, gzip": cpio("gzip"),
}


def make_tree(path: Path, files: int) -> None:
    tree = DebianTree(path)
    for number in range(files):
        folder = tree.path / f"usr/lib/d{number // 4000}/e{number // 100}"
        if number % 100 == 0:
            folder.mkdir(parents=True)
        (folder / f"file-{number}").write_bytes(b"x" * (number % 100 * 20))


def make_all(folder: Path, files: int) -> None:
    make_tree(folder / "directory", files)
    for name, make in MAKERS.items():
        make(folder / "directory", folder / name)


def listing(root: Path) -> tuple[float, int]:
    """Seconds, and the most memory in MiB, of ``list --root``."""
    start = time.perf_counter()
    words = [sys.executable, "-m", "rootfs_trust", "list", "--root", root]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as path:
        # In a process of its own, whose memory would count as that of the children of this one.
        maker = multiprocessing.get_context("spawn").Process(target=make_all, args=(Path(path), files))
        maker.start()
        maker.join()
        for name in ("directory", *MAKERS):
            seconds, memory = min(listing(Path(path) / name) for _ in range(3))
            print(f"{name:16} {seconds:5.1f} s  {memory:4} MiB")


if __name__ == "__main__":
    main()
