"""Runs of ``image`` as users and accidents have them: killed, without any privilege, on images larger than memory."""

from __future__ import annotations

import gzip
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command import REPOSITORY, OrdinaryUser, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.images import LayoutDirectory, Tarball, digest
from tests.support.peers import PLAIN_ENVIRONMENT

pytestmark = pytest.mark.slow

LARGE = 256 * 1024 * 1024
LIMIT = 96 * 1024
"""KiB: what Python, the certificates and the entries of a small tree need is a third of it."""

MEASURED = """
import sys
from rootfs_trust.cli.run import main

try:
    main()
finally:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""


@pytest.fixture
def large(debian: DebianTree, tmp_path: Path) -> LayoutDirectory:
    """An image of a quarter of a GiB unpacked, which is little when packed."""
    upper = Tarball().file("opt/zeros", bytes(LARGE)).end()
    layout = LayoutDirectory(tmp_path / "large")
    return layout.index(layout.image(Tarball().tree(debian.path, "").end(), upper))


def digest_of_result(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode()
    return str(json.loads(done.stdout)["digest"])


def test_memory_does_not_grow_with_the_image(large: LayoutDirectory, tmp_path: Path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    rootfs = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n")
    (tmp_path / "rootfs.tar.gz").write_bytes(gzip.compress(rootfs.file("opt/zeros", bytes(LARGE)).end(), 1))
    for source in (large.path, tmp_path / "rootfs.tar.gz"):
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "image", source, tmp_path / "out", "--cert", tmp_path / "ca.pem", "-q"],
            env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stderr.splitlines()[-1]) < LIMIT
        subprocess.run(["rm", "-rf", tmp_path / "out"], check=True)


def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_completes_it(debian: DebianTree, tmp_path: Path):
    upper = Tarball().file("opt/noise", os.urandom(30_000_000)).end()
    layout = LayoutDirectory(tmp_path / "layout")
    layout.index(layout.image(Tarball().tree(debian.path, "").end(), upper))
    archive = tmp_path / "app.tar"
    archive.write_bytes(Tarball().tree(layout.path, "").end())
    wanted = digest_of_result(rootfs_trust("image", archive, tmp_path / "wanted.tar", "--format", "json"))
    took = _killed_after(archive, tmp_path / "first.tar", math.inf)
    killed = 0
    for part in range(1, 10):
        dest = tmp_path / "out.tar"
        _killed_after(archive, dest, took * part / 10)
        killed += not dest.exists()
        assert not dest.exists() or digest(dest.read_bytes()) == digest((tmp_path / "wanted.tar").read_bytes())
        assert digest_of_result(rootfs_trust("image", archive, dest, "--format", "json")) == wanted
        assert not list(tmp_path.glob(".rootfs-trust*"))
        dest.unlink()
    assert killed > 4


def _killed_after(source: Path, dest: Path, seconds: float) -> float:
    """Run ``image``, kill it after so many seconds of processor time, and return the time that it used.

    Unlike time of the clock, that is the same on a busy machine.
    """
    before = _processor_time(resource.getrusage(resource.RUSAGE_CHILDREN))
    words = [sys.executable, "-m", "rootfs_trust", "image", source, dest, "-q"]
    with subprocess.Popen(words, env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)}, cwd="/") as running:
        while running.poll() is None:
            *_, user, system = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[:13]
            if (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") >= seconds:
                running.kill()
            time.sleep(0.001)
    return _processor_time(resource.getrusage(resource.RUSAGE_CHILDREN)) - before


def _processor_time(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def test_an_ordinary_user_gets_the_same_bytes_as_root(open_directory: Path, tmp_path: Path):
    layout = LayoutDirectory(open_directory / "layout")
    debian = Tarball().tree(DebianTree(tmp_path / "rootfs").path).end()
    layout.index(layout.image(debian))
    (open_directory / "rootfs.tar").write_bytes(debian)
    user = OrdinaryUser(open_directory, 61234, 61235)
    os.chown(open_directory, user.uid, user.gid)
    for name in ("layout", "rootfs.tar"):
        words = ["image", open_directory / name, "--format", "json"]
        theirs = user.rootfs_trust(*words, open_directory / f"out-{name}", umask=0o077)
        assert digest_of_result(theirs) == digest_of_result(rootfs_trust(*words, tmp_path / name))
