"""What putting one CA into a container image costs, beside a build with buildah that does the same.

    python benchmarks/image.py TREE [--runs N]

TREE is a Debian root filesystem with ca-certificates in it (debootstrap makes one). It is packed into an OCI image
layout, an archive as docker save writes it, and tar files. For each, `rootfs-trust image` runs N times into a new
place; buildah copies the CA into a container from the same layout, runs update-ca-certificates in it, commits, and
writes a layout (storage driver vfs, isolation chroot). `cp -a` of the layout, with a sync, is the least that any tool
can need on this disk. Needs root, buildah and skopeo. Printed: the median of wall time, user plus system time with all
children, and the most memory that one process had.
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

sys.path.insert(0, os.fspath(Path(__file__).parents[1]))

from tests.support.authority import Authority
from tests.support.buildah import Buildah

ANCHOR = "/usr/local/share/ca-certificates/my-ca.crt"


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
        print(f"{'source':28} {'wall s':>8} {'cpu s':>8} {'MiB':>6}")
        layout = sources["OCI layout"]
        works = {"copy of the OCI layout": partial(copied, layout, folder / "out")}
        works |= {title: partial(ours, source, folder / "out", ca) for title, source in sources.items()}
        works["buildah, OCI layout"] = partial(theirs, buildah, folder, ca)
        for title, work in works.items():
            report(title, [measured(work, folder) for _ in range(given.runs)])


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


def copied(source: Path, dest: Path) -> None:
    """Copy each file and sync it, as ``image`` does with the blobs that it keeps."""
    run("cp", "-a", source, dest)
    run("sync", *(file for file in dest.rglob("*") if file.is_file()))


def theirs(buildah: Buildah, folder: Path, ca: Path) -> None:
    with buildah.container(f"oci:{folder}/layout:1") as container:
        buildah("copy", "--quiet", container, ca, ANCHOR)
        buildah("run", container, "--", "update-ca-certificates")
        buildah.layout(container, folder / "out")


def measured(work: Callable[[], None], folder: Path) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor time, and MiB, of ``work`` in a process of its own."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise SystemExit("a run failed")
    out = folder / "out"
    shutil.rmtree(out) if out.is_dir() else out.unlink()
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def report(title: str, runs: list[tuple[float, float, float]]) -> None:
    wall, cpu, memory = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"{title:28} {wall:8.2f} {cpu:8.2f} {memory:6.0f}", flush=True)


def run(*words: str | Path) -> None:
    subprocess.run([os.fspath(word) for word in words], check=True)


if __name__ == "__main__":
    main()
