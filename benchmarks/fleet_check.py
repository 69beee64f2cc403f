"""What ``fleet --check`` costs over trees and images that share a few stores, beside single ``check`` runs on a sample.

    python benchmarks/fleet_check.py [--roots N] [--images N] [--stores N] [--sample N] [--jobs N] [--certificates DIR]

Roots are copies of a few Debian-like trees: the certificates that Debian ships (about 140), a private CA that differs
from store to store, and a store that is up to date. Images are copies of these trees in five formats. Each target is
checked against a config with three servers. Both are measured in one run; memory is the greatest resident set of the
parent and of any worker, at a tenth of the targets and at all.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.authority import Authority
from tests.support.filesystem_images import MAKERS, tar
from tests.support.images import LayoutDirectory, Tarball, docker_archive

STORE, LOCAL, SHIPPED = "etc/ssl/certs", "usr/local/share/ca-certificates", "usr/share/ca-certificates"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
SERVERS = 3


def _layout(tree: Path, image: Path) -> None:
    folder = LayoutDirectory(image)
    folder.index(folder.image(Tarball().tree(tree, "").end()))


def _docker(tree: Path, image: Path) -> None:
    image.write_bytes(docker_archive({"layers": [Tarball().tree(tree, "").end()]}))


FORMATS = {
    "oci": _layout,
    "docker": _docker,
    "tar": tar,
    "ext4": MAKERS["ext4"],
    "squashfs": MAKERS["squashfs-gzip"],
}


class Bench:
    """A folder with a fleet: copies of ``stores`` trees, each with servers under a CA that all of them trust."""

    def __init__(self, folder: Path, certificates: Path, stores: int) -> None:
        self._directory, self._stores = folder, stores
        shared = Authority("Fleet Root CA")
        (folder / "ca.pem").write_bytes(shared.pem)
        tables = []
        for number in range(SERVERS):
            host = f"s{number}.example.com"
            (folder / f"{host}.pem").write_bytes(shared.server(host).pem)
            tables.append(f'[[server]]\nname = "s{number}"\nchain = "{host}.pem"\nhostname = "{host}"\n')
        (folder / "edge.toml").write_text("".join(tables))
        for number in range(stores):
            self._base(certificates, folder / f"base/{number}", number)

    def _base(self, certificates: Path, tree: Path, number: int) -> None:
        shutil.copytree(certificates, tree / SHIPPED)
        for name in (STORE, LOCAL, "var/lib/dpkg"):
            (tree / name).mkdir(parents=True)
        (tree / "etc/os-release").write_text("ID=debian\n")
        names = sorted(str(file.relative_to(certificates)) for file in certificates.rglob("*.crt"))
        (tree / "etc/ca-certificates.conf").write_text("".join(f"{name}\n" for name in names))
        own = self._directory / f"own-{number}.pem"
        own.write_bytes(Authority(f"Own CA {number}").pem)
        self.run("install", "--root", tree, "--cert", self._directory / "ca.pem", "--cert", own, "-q")

    def grow(self, roots: int, images: int) -> None:
        """So many copies of the trees, in turn, whose files are hard links; and of images of them in each format."""
        for number in range(roots):
            self._copy("-al", f"base/{number % self._stores}", f"out/{number:05}")
        for number in range(images):
            form, store = list(FORMATS)[number % len(FORMATS)], number // len(FORMATS) % self._stores
            image = self._directory / f"image-{form}-{store}"
            if not image.exists():
                FORMATS[form](self._directory / f"base/{store}", image)
            self._copy("-a", image.name, f"images/{number:05}-{form}")
        lines = [f'[[target]]\n{kind}\nconfig = "edge.toml"\n' for kind in ('root = "out/*"', 'image = "images/*"')]
        (self._directory / "fleet.toml").write_text("".join(lines if images else lines[:1]))

    def _copy(self, option: str, source: str, copy: str) -> None:
        place = self._directory / copy
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            subprocess.run(["cp", option, self._directory / source, place], check=True)

    def images(self) -> list[str]:
        """One image of each format."""
        return sorted(f"images/{path.name}" for path in (self._directory / "images").iterdir())[: len(FORMATS)]

    def run(self, *words: object) -> tuple[float, int, bytes]:
        """Seconds, the greatest resident set in KiB, and standard output."""
        command = [sys.executable, "-m", "rootfs_trust", *map(str, words)]
        began = time.monotonic()
        environment = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(command, cwd=self._directory, env=environment, stdout=subprocess.PIPE, check=False)
        assert done.returncode in (0, 1), done
        return time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stdout

    def fleet(self, jobs: int) -> tuple[float, int, int]:
        """Seconds, memory, and the number of lines, each of which has every server."""
        seconds, memory, out = self.run("fleet", "fleet.toml", "--check", "--jobs", jobs, "-q")
        assert out.count(b'"refused_by": []') == SERVERS * out.count(b"\n")
        return seconds, memory, out.count(b"\n")

    def alone(self, targets: Sequence[str]) -> float:
        """Seconds of one ``fleet --check`` a target: what ``check`` does without trying its fixes."""
        file = self._directory / "one.toml"
        seconds = 0.0
        for target in targets:
            kind = "root" if target.startswith("out/") else "image"
            file.write_text(f'[[target]]\n{kind} = "{target}"\nconfig = "edge.toml"\n')
            seconds += self.run("fleet", file, "--check", "--jobs", 1, "-q")[0]
        return seconds / len(targets)

    def single(self, targets: Sequence[str]) -> float:
        """Seconds of one ``check`` a target, one after the other."""
        return sum(self.run("check", "--root", each, "--config", "edge.toml", "-q")[0] for each in targets) / len(
            targets
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roots", type=int, default=1000)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--stores", type=int, default=5)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--certificates", type=Path, default=Path("/usr/share/ca-certificates"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        bench = Bench(Path(name), asked.certificates, asked.stores)
        bench.grow(asked.roots // 10, asked.images // 10)
        few, memory_few, tenth = bench.fleet(asked.jobs)
        bench.grow(asked.roots, asked.images)
        roots = [f"out/{number:05}" for number in range(asked.sample)]
        images = bench.images() if asked.images else roots
        single, single_image = bench.single(roots), bench.single(images)
        alone, alone_image = bench.alone(roots), bench.alone(images)
        seconds, memory, lines = bench.fleet(asked.jobs)
    all_single = single * asked.roots + single_image * asked.images
    all_alone = alone * asked.roots + alone_image * asked.images
    print(f"{asked.roots} roots, {asked.images} images, {asked.stores} stores, {SERVERS} servers, {asked.jobs} jobs")
    print(f"fleet --check: {seconds:.1f} s, {1000 * seconds / lines:.1f} ms a target ({few:.1f} s for {tenth})")
    print(f"single check:  {single:.2f} s a root, {single_image:.2f} s an image, {all_single:.0f} s for all")
    print(f"one by one:    {alone:.2f} s a root, {alone_image:.2f} s an image, {all_alone:.0f} s for all")
    print(f"ratio: 1 to {all_single / seconds:.0f}, 1 to {all_alone / seconds:.0f} without the trial of fixes")
    print(f"greatest resident set: {memory_few >> 10} MiB for {tenth} targets, {memory >> 10} MiB for {lines}")


if __name__ == "__main__":
    main()
