"""What ``fleet --check`` costs over trees that share a few stores, beside single ``check`` runs on a sample.

    python benchmarks/fleet_check.py [--roots N] [--stores N] [--sample N] [--jobs N] [--certificates DIR]

Roots are copies of a few Debian-like trees: the certificates that Debian ships (about 140), a private CA that differs
from store to store, and a store that is up to date. Each is held against a config with three servers. Both are measured
in one run; memory is the greatest resident set of the parent and of any worker, at a tenth of the roots and at all.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.authority import Authority

STORE, LOCAL, SHIPPED = "etc/ssl/certs", "usr/local/share/ca-certificates", "usr/share/ca-certificates"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
SERVERS = 3


class Bench:
    """A folder with a fleet: copies of ``stores`` trees, each with servers under a CA that all of them trust."""

    def __init__(self, folder: Path, certificates: Path, stores: int) -> None:
        self._folder, self._stores = folder, stores
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
        own = self._folder / f"own-{number}.pem"
        own.write_bytes(Authority(f"Own CA {number}").pem)
        self.run("install", "--root", tree, "--cert", self._folder / "ca.pem", "--cert", own, "-q")

    def grow(self, count: int) -> None:
        """So many copies of the trees, in turn; their files are hard links."""
        for number in range(count):
            copy = self._folder / f"out/{number:05}"
            if not copy.exists():
                copy.parent.mkdir(exist_ok=True)
                base = self._folder / f"base/{number % self._stores}"
                subprocess.run(["cp", "-al", base, copy], check=True)
        (self._folder / "fleet.toml").write_text('[[target]]\nroot = "out/*"\nconfig = "edge.toml"\n')

    def run(self, *words: object) -> tuple[float, int, bytes]:
        """Seconds, the greatest resident set in KiB, and standard output."""
        command = [sys.executable, "-m", "rootfs_trust", *map(str, words)]
        began = time.monotonic()
        environment = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(command, cwd=self._folder, env=environment, stdout=subprocess.PIPE, check=False)
        assert done.returncode in (0, 1), done
        return time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stdout

    def fleet(self, jobs: int) -> tuple[float, int, int]:
        """Seconds, memory, and the number of lines, each of which has every server."""
        seconds, memory, out = self.run("fleet", "fleet.toml", "--check", "--jobs", jobs, "-q")
        assert out.count(b'"refused_by": []') == SERVERS * out.count(b"\n")
        return seconds, memory, out.count(b"\n")

    def alone(self, sample: int) -> float:
        """Seconds of one ``fleet --check`` of each of some copies: what ``check`` does without trying its fixes."""
        file = self._folder / "one.toml"
        seconds = 0.0
        for number in range(sample):
            file.write_text(f'[[target]]\nroot = "out/{number:05}"\nconfig = "edge.toml"\n')
            seconds += self.run("fleet", file, "--check", "--jobs", 1, "-q")[0]
        return seconds

    def single(self, sample: int) -> float:
        """Seconds of one ``check`` on each of some copies, one after the other."""
        return sum(self.run("check", "--root", f"out/{n:05}", "--config", "edge.toml", "-q")[0] for n in range(sample))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roots", type=int, default=1000)
    parser.add_argument("--stores", type=int, default=5)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--certificates", type=Path, default=Path("/usr/share/ca-certificates"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        bench = Bench(Path(name), asked.certificates, asked.stores)
        bench.grow(asked.roots // 10)
        few, memory_few, _ = bench.fleet(asked.jobs)
        bench.grow(asked.roots)
        single = bench.single(asked.sample) / asked.sample
        alone = bench.alone(asked.sample) / asked.sample
        seconds, memory, lines = bench.fleet(asked.jobs)
    print(f"{lines} roots, {asked.stores} stores, {SERVERS} servers, {asked.jobs} jobs")
    print(f"fleet --check: {seconds:.1f} s, {1000 * seconds / lines:.1f} ms a root ({few:.1f} s for a tenth)")
    print(f"single check:  {1000 * single:.0f} ms a root, {single * lines:.0f} s for all (from {asked.sample})")
    print(f"one by one:    {1000 * alone:.0f} ms a root without the trial of fixes, {alone * lines:.0f} s for all")
    print(f"ratio: 1 to {single * lines / seconds:.0f}, 1 to {alone * lines / seconds:.0f} without the trial of fixes")
    print(f"greatest resident set: {memory_few >> 10} MiB at a tenth of the roots, {memory >> 10} MiB at all")


if __name__ == "__main__":
    main()
