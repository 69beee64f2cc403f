"""What rotating a CA costs in a fleet: rate, beside the loops that a fleet replaces, and the memory that it needs.

    python benchmarks/fleet.py [--roots N] [--images N] [--sample N] [--jobs N] [--certificates DIR]

Roots are copies of one Debian-like tree: the certificates that Debian ships (about 140), a private CA and a store that
is up to date. The rotation replaces that CA in each. Beside it stand, one after the other on a sample:

- the loop of ``update-ca-certificates --fresh``, the real script with the real openssl, with its options that point it
  at a tree (no chroot to enter), the new CA copied before;
- ``cp -a`` of the files that change, one call a tree, and one ``sync`` for all of them;
- for images ``buildah`` builds: ``from``, ``copy``, ``run update-ca-certificates``, ``commit`` (root, and --base, the
  tar file of a Debian rootfs that has that program).

Images are OCI layouts on that tree as their one layer, each with a config of its own. Memory is the greatest resident
set of the parent and of any worker, at a tenth of the roots and at all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.authority import Authority
from tests.support.images import LayoutDirectory, Tarball

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
STORE, LOCAL, SHIPPED = "etc/ssl/certs", "usr/local/share/ca-certificates", "usr/share/ca-certificates"
CONF = "etc/ca-certificates.conf"
CHANGED = (f"{STORE}/ca-certificates.crt", f"{LOCAL}/fleet-ca.crt")
CONFIG = '[[anchor]]\nfile = "ca.pem"\nname = "fleet-ca"\nreplace = true\n'


class Bench:
    """A folder with a base tree, a fleet of copies, and a CA to rotate."""

    def __init__(self, folder: Path, certificates: Path, jobs: int) -> None:
        self._directory, self._jobs = folder, jobs
        self._base = folder / "base"
        shutil.copytree(certificates, self._base / SHIPPED)
        for name in (STORE, LOCAL, "var/lib/dpkg"):
            (self._base / name).mkdir(parents=True)
        (self._base / "etc/os-release").write_text("ID=debian\n")
        names = sorted(str(file.relative_to(certificates)) for file in certificates.rglob("*.crt"))
        (self._base / CONF).write_text("".join(f"{name}\n" for name in names))
        (folder / "edge.toml").write_text(CONFIG)
        self.rotate()
        self._install(self._base)

    def rotate(self) -> None:
        """Another CA under the same name."""
        (self._directory / "ca.pem").write_bytes(Authority("Fleet Root CA").pem)

    def _install(self, root: Path) -> None:
        self._run("install", "--root", root, "--config", self._directory / "edge.toml", "-q")

    def _run(self, *words: object) -> str:
        command = [sys.executable, "-m", "rootfs_trust", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=self._directory).stdout

    # -- roots -------------------------------------------------------------------------------------------

    def grow(self, count: int) -> None:
        """So many copies of the base; what nobody writes is shared by hard links, and what is written is renamed."""
        out = self._directory / "out"
        out.mkdir(exist_ok=True)
        for number in range(len(list(out.iterdir())), count):
            subprocess.run(["cp", "-al", self._base, out / f"{number:05}"], check=True)
        os.sync()

    def fleet(self, pattern: str, *, images: bool = False) -> tuple[Spent, int, int]:
        """What was spent, and the greatest resident set in KiB of the parent and of a worker."""
        kind = f'image = "{pattern}"\ndest = "signed"' if images else f'root = "{pattern}"'
        file = self._directory / "fleet.toml"
        file.write_text(f'[[target]]\n{kind}\nconfig = "edge.toml"\n')
        words = [sys.executable, "-m", "rootfs_trust", "fleet", str(file), "-q", "--jobs", str(self._jobs)]
        with Spent() as spent:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=self._directory)
            memory = Memory(process.pid)
            lines = [json.loads(line) for line in process.stdout or ()]
            status = process.wait()
        bad = [line for line in lines if line["status"] != "changed"]
        if status or bad:
            raise SystemExit(f"not all changed: {bad[:3]}")
        return spent, *memory.most()

    def copies(self, sample: int) -> Spent:
        """What a tree costs for ``cp -a`` of what changes, and a sync."""
        new = self._directory / "new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self._directory / "out/00000", new, symlinks=True)
        with Spent() as spent:
            for number in range(sample):
                root = self._directory / f"out/{number:05}"
                subprocess.run(["cp", "-a", "--remove-destination", "--parents", *CHANGED, root], check=True, cwd=new)
            subprocess.run(["sync"], check=True)
        return spent.each(sample)

    def loop(self, sample: int) -> Spent:
        """What a tree costs Debian's own tool."""
        with Spent() as spent:
            for number in range(sample):
                root = self._directory / f"out/{number:05}"
                (root / LOCAL / "fleet-ca.crt").unlink()
                shutil.copy(self._directory / "ca.pem", root / LOCAL / "fleet-ca.crt")
                places = {"--certsconf": CONF, "--certsdir": SHIPPED, "--localcertsdir": LOCAL, "--etccertsdir": STORE}
                words = [str(word) for option, name in places.items() for word in (option, root / name)]
                command = ["update-ca-certificates", "--fresh", "--hooksdir", "", *words]
                subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
        return spent.each(sample)

    # -- images ------------------------------------------------------------------------------------------

    def grow_images(self, count: int) -> None:
        """So many layouts on the base, each with a config of its own; blobs are shared by hard links."""
        layer = Tarball().tree(self._base, "").end()
        first = LayoutDirectory(self._directory / "images/00000")
        first.index(first.image(layer, config={"author": "0"}))
        for number in range(1, count):
            path = self._directory / f"images/{number:05}"
            subprocess.run(["cp", "-al", first.path, path], check=True)
            manifest = first.manifest()
            (path / "index.json").unlink()
            (path / "oci-layout").unlink()
            layout = LayoutDirectory(path)
            config = layout.put_json({**first.config(), "author": str(number)}, manifest["config"]["mediaType"])
            entry = layout.put_json({**manifest, "config": config}, manifest["mediaType"])
            layout.index(entry)

    def buildah(self, base: Path, sample: int) -> Spent:
        """What an image costs with a build with buildah that does the same."""
        storage = ["--root", str(self._directory / "storage"), "--runroot", str(self._directory / "run")]
        buildah = ["buildah", *storage, "--storage-driver", "vfs"]

        def run(*words: str) -> str:
            done = subprocess.run([*buildah, *words], check=True, capture_output=True, text=True)
            return done.stdout.strip()

        scratch = run("from", "scratch")
        run("add", scratch, str(base), "/")
        run("commit", scratch, "base")
        with Spent() as spent:
            for number in range(sample):
                container = run("from", "--pull-never", "base")
                run("copy", container, str(self._directory / "ca.pem"), f"/{LOCAL}/fleet-ca.crt")
                run("run", "--isolation", "chroot", container, "update-ca-certificates", "--fresh")
                run("commit", container, f"oci:{self._directory}/built-{number}")
                run("rm", container)
        return spent.each(sample)


@dataclass
class Spent:
    """Seconds by the clock, and of processor time of the processes that ended meanwhile."""

    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> Spent:
        self._before = time.perf_counter(), _processor_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._before[0]
        self.cpu = _processor_time() - self._before[1]

    def each(self, count: int) -> Spent:
        return Spent(self.wall / count, self.cpu / count)

    def __str__(self) -> str:
        return f"{self.wall * 1000:.1f} ms ({self.cpu * 1000:.1f} ms of processor time)"


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Memory(threading.Thread):
    """Reads the greatest resident sets of a process and of its children until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self.start()

    def run(self) -> None:
        while self._read(self._pid):
            threads = Path(f"/proc/{self._pid}/task")
            try:
                children = [pid for each in threads.iterdir() for pid in (each / "children").read_text().split()]
            except OSError:
                return
            for pid in children:
                self._read(int(pid))
            time.sleep(0.1)

    def _read(self, pid: int) -> bool:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return False
        found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
        self._peaks[pid] = max([self._peaks.get(pid, 0), *found])
        return bool(found)

    def most(self) -> tuple[int, int]:
        """KiB of the process, and of the largest child."""
        self.join()
        return self._peaks[self._pid], max(peak for pid, peak in self._peaks.items() if pid != self._pid)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roots", type=int, default=1000)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--certificates", type=Path, default=Path("/usr/share/ca-certificates"))
    parser.add_argument("--base", type=Path, help="tar file of a Debian rootfs, for buildah")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        bench = Bench(Path(folder), options.certificates, options.jobs)
        print(f"processors: {options.jobs}, load before: {os.getloadavg()[0]:.1f}")
        few = max(options.sample, options.roots // 10)
        for count in (few, options.roots):
            bench.grow(count)
            bench.rotate()
            ours = _told(f"fleet, {count} roots", count, *bench.fleet("out/*"))
        _compared("cp -a and sync", bench.copies(min(options.sample * 10, options.roots)), ours)
        bench.rotate()
        _compared("update-ca-certificates --fresh", bench.loop(options.sample), ours)
        bench.grow_images(options.images)
        ours = _told(f"fleet, {options.images} images", options.images, *bench.fleet("images/*", images=True))
        if options.base and shutil.which("buildah"):
            _compared("buildah", bench.buildah(options.base, options.sample), ours)


def _told(what: str, count: int, spent: Spent, parent: int, worker: int) -> Spent:
    rate = count / spent.wall
    print(f"{what}: {rate:.1f}/s, {spent.each(count)} each; MiB: {parent >> 10}, worker {worker >> 10}", flush=True)
    return spent.each(count)


def _compared(what: str, theirs: Spent, ours: Spent) -> None:
    ratios = f"{theirs.wall / ours.wall:.2f} ({theirs.cpu / ours.cpu:.2f})"
    print(f"{what}: {theirs} each, times ours: {ratios}", flush=True)


if __name__ == "__main__":
    main()
