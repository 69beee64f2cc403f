"""What putting one CA into a container image costs, beside a build with buildah that does the same.

    python benchmarks/image.py TREE [--runs N]

TREE is a Debian root filesystem with ca-certificates in it (debootstrap makes one). It is packed into an OCI image
layout, an archive as docker save writes it, and tar files. For each, `rootfs-trust image` runs N times into a new
place; buildah copies the CA into a container from the same layout, runs update-ca-certificates in it, commits, and
writes a layout (storage driver vfs, isolation chroot). `cp -a` of the layout, with a sync, is the least that any tool
can need on this disk. Needs root, buildah and skopeo. The rows alternate. Printed: the median of wall time, also as a
multiple of the copy's; user plus system time with all children; the most memory that one process had; and the bytes
that the processes read from files and wrote to them, whether from the cache or the disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, os.fspath(Path(__file__).parents[1]))

from tests.support.authority import Authority
from tests.support.buildah import Buildah

ANCHOR = "/usr/local/share/ca-certificates/my-ca.crt"
MIB = 1024 * 1024
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, as in an installed package."""


class Run(NamedTuple):
    """Seconds by the clock, seconds of processor time, and MiB: the most memory, read and written bytes."""

    wall: float
    cpu: float
    memory: float
    read: float
    written: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rootfs-trust-benchmark-") as name:
        folder = Path(name)
        ca = folder / "my-ca.pem"
        ca.write_bytes(Authority("Benchmark CA").pem)
        buildah = Buildah(folder)
        sources = make_sources(folder, given.tree, buildah)
        layout = sources["OCI layout"]
        works = {"copy of the OCI layout": partial(copied, layout, folder / "out")}
        works |= {title: partial(ours, source, folder / "out", ca) for title, source in sources.items()}
        works["list of the OCI layout"] = partial(listed, layout)
        works["buildah, OCI layout"] = partial(theirs, buildah, folder, ca)
        runs: dict[str, list[Run]] = {title: [] for title in works}
        for _ in range(given.runs):
            for title, work in works.items():
                runs[title].append(measured(work, folder))
        report(runs)


def make_sources(folder: Path, tree: Path, buildah: Buildah) -> dict[str, Path]:
    buildah.make_image("localhost/base", tree, "--cmd=/bin/sh")
    with buildah.container("localhost/base") as container:
        buildah.layout(container, folder / "layout")
    run("skopeo", "copy", "-q", f"oci:{folder}/layout:1", f"docker-archive:{folder}/docker.tar:base:1")
    run("tar", "--numeric-owner", "-C", tree, "-cf", folder / "rootfs.tar", ".")
    run("gzip", "-k", folder / "rootfs.tar")
    return {
        "OCI layout": folder / "layout",
        "docker save archive": folder / "docker.tar",
        "rootfs tar": folder / "rootfs.tar",
        "rootfs tar, gzip": folder / "rootfs.tar.gz",
    }


def ours(source: Path, dest: Path, ca: Path) -> None:
    run(sys.executable, "-m", "rootfs_trust", "image", source, dest, "--cert", ca, "-q")


def listed(source: Path) -> None:
    run(sys.executable, "-m", "rootfs_trust", "list", "--root", source, "-q", stdout=subprocess.DEVNULL)


def copied(source: Path, dest: Path) -> None:
    """Copy each file and sync it, as ``image`` does with the blobs that it keeps."""
    run("cp", "-a", source, dest)
    run("sync", *(file for file in dest.rglob("*") if file.is_file()))


def theirs(buildah: Buildah, folder: Path, ca: Path) -> None:
    with buildah.container(f"oci:{folder}/layout:1") as container:
        buildah("copy", "--quiet", container, ca, ANCHOR)
        buildah("run", container, "--", "update-ca-certificates")
        buildah.layout(container, folder / "out")


def measured(work: Callable[[], None], folder: Path) -> Run:
    """Measure ``work`` in a separate process."""
    start = time.perf_counter()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
            os.write(writer, Path("/proc/self/io").read_bytes())
            os._exit(0)
        finally:
            os._exit(1)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise SystemExit("a run failed")
    os.close(writer)
    with open(reader, encoding="ascii") as file:
        counts = dict(line.rstrip().split(": ") for line in file)
    out = folder / "out"
    if out.exists():
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    read, written = (int(counts[name]) / MIB for name in ("rchar", "wchar"))
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, read, written)


def report(runs: dict[str, list[Run]]) -> None:
    """Print the medians. The first row is the copy, with which the others are compared."""
    medians = {title: Run(*map(statistics.median, zip(*rows, strict=True))) for title, rows in runs.items()}
    copy = next(iter(medians.values()))
    print(f"{'source':28} {'wall s':>8} {'copies':>8} {'cpu s':>8} {'MiB':>6} {'read':>8} {'written':>8}")
    for title, each in medians.items():
        print(
            f"{title:28} {each.wall:8.2f} {each.wall / copy.wall:8.1f} {each.cpu:8.2f} {each.memory:6.0f} "
            f"{each.read:8.1f} {each.written:8.1f}"
        )


def run(*words: str | Path, **options: Any) -> None:
    subprocess.run([os.fspath(word) for word in words], check=True, env=ENVIRONMENT, **options)


if __name__ == "__main__":
    main()
