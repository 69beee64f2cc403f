"""A fleet on a local Dask cluster of two worker processes: the same bytes as the process pool, also when one dies."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import REPOSITORY, rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT, unavailable
from tests.unit.fleet.conftest import Fleet, lines, statuses

pytestmark = pytest.mark.slow

CLUSTER = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, preload=sys.argv[1:]) as it:
    print(it.scheduler_address, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Cluster:
    address: str
    pid: int

    @property
    def workers(self) -> list[int]:
        """The worker processes, which Dask's nannies start."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        pids = [pid for thread in threads for pid in (thread / "children").read_text().split()]
        return [int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextmanager
def cluster(directory: Path, *preload: Path) -> Iterator[Cluster]:
    """Two workers, each of which runs the files ``preload`` first."""
    if importlib.util.find_spec("distributed") is None:
        unavailable("distributed is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER, *preload],
        env={
            **PLAIN_ENVIRONMENT,
            "HOME": str(directory),
            "DASK_TEMPORARY_DIRECTORY": str(directory),
            "PYTHONPATH": str(REPOSITORY),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield Cluster(process.stdout.readline().strip(), process.pid)
        process.stdin.close()


@pytest.fixture
def fleet(tmp_path, authority) -> Fleet:
    fleet = Fleet(tmp_path / "fleet", authority)
    fleet.grow(24)
    return fleet


def test_one_worker_is_killed_half_way(fleet, tmp_path):
    pool = fleet.copy("pool")
    expected = rootfs_trust("fleet", pool.file, "--jobs", "2")
    assert expected.returncode == 0
    last = os.open(fleet.trees[-1].path, os.O_RDONLY)
    fcntl.flock(last, fcntl.LOCK_EX)
    with cluster(tmp_path) as dask:
        words = [sys.executable, "-m", "rootfs_trust", "fleet", fleet.file, "--dask", dask.address, "-q"]
        with subprocess.Popen(words, env=PLAIN_ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
            first = process.stdout.readline()
            # The last tree is held, so that the fleet cannot have ended by now.
            victim = dask.workers[0]
            os.kill(victim, signal.SIGKILL)
            while victim in dask.workers:
                time.sleep(0.05)
            os.close(last)
            rest = process.stdout.read()
        assert process.returncode == 0
        found = lines(first + rest)
        assert [(each["target"], each["digest"]) for each in found] == [
            (each["target"], each["digest"]) for each in lines(expected.stdout.decode())
        ]
        assert {each["status"] for each in found} <= {"changed", "unchanged"}
        assert fleet.contents() == pool.contents()
        again = rootfs_trust("fleet", fleet.file, "--dask", dask.address)
    assert set(statuses(again.stdout.decode()).values()) == {"skipped"}


def test_workers_of_another_version_are_refused(fleet, tmp_path):
    before = fleet.snapshot()
    older = tmp_path / "older.py"
    older.write_text("import rootfs_trust\nrootfs_trust.__version__ = '0.0.9'\n")
    with cluster(tmp_path, older) as dask:
        done = rootfs_trust("fleet", fleet.file, "--dask", dask.address, "--format", "json")
    assert done.returncode == 2, done.stderr.decode()
    errors = json.loads(done.stdout)["errors"]
    assert len(errors) == 2
    assert all("has rootfs-trust 0.0.9, not rootfs-trust" in each["message"] for each in errors)
    assert fleet.snapshot() == before


def test_no_scheduler(fleet):
    if importlib.util.find_spec("distributed") is None:
        unavailable("distributed is not installed")
    done = rootfs_trust("fleet", fleet.file, "--dask", "tcp://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no scheduler answers" in done.stderr
