"""fleet --check over trees that share stores prints the same bytes after a kill, from a journal, and on Dask."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.test_fleet_dask import cluster
from tests.support.authority import Authority
from tests.support.command import REPOSITORY, rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.unit.fleet.conftest import CONFIG, Fleet

pytestmark = pytest.mark.slow


@pytest.fixture
def fleet(tmp_path, authority) -> Fleet:
    """Forty trees of two stores, and two servers, of which one store refuses the second."""
    fleet = Fleet(tmp_path / "fleet", authority)
    fleet.grow(40)
    assert rootfs_trust("fleet", fleet.file, "-q", cwd=tmp_path).returncode == 0
    other = Authority("Other CA")
    (tmp_path / "other.pem").write_bytes(other.pem)
    for tree in fleet.trees[::2]:
        assert rootfs_trust("install", "--root", tree.path, "--cert", tmp_path / "other.pem").returncode == 0
    tables = []
    for name, signer in (("one", authority), ("two", other)):
        (fleet.directory / f"{name}.pem").write_bytes(signer.server(f"{name}.example.com").pem)
        tables.append(f'[[server]]\nname = "{name}"\nchain = "{name}.pem"\nhostname = "{name}.example.com"\n')
    (fleet.directory / "edge.toml").write_text(f"{CONFIG}{''.join(tables)}")
    return fleet


def checked(fleet: Fleet, *words: str) -> bytes:
    done = rootfs_trust("fleet", fleet.file, "--check", "--at", "2026-12-01", "-q", *words, cwd=fleet.directory.parent)
    assert done.returncode == 1, done.stderr.decode()
    return done.stdout


def test_the_same_bytes_by_processes_by_dask_and_after_a_kill(fleet, tmp_path):
    before = fleet.snapshot()
    expected = checked(fleet, "--jobs", "1")
    found = list(map(json.loads, expected.splitlines()))
    refusing = {each["target"] for each in found if each["servers"][1]["refused_by"]}
    assert len(found) == 40 and len(refusing) == 20
    assert checked(fleet, "--jobs", "2") == expected
    assert expected.startswith(killed(fleet))
    assert checked(fleet, "--jobs", "2") == expected
    with cluster(tmp_path) as two:
        assert checked(fleet, "--dask", two.address) == expected
    assert fleet.snapshot() == before


def test_a_check_that_is_killed_twice_is_continued_by_processes_and_by_dask(fleet, tmp_path):
    before, journal = fleet.snapshot(), tmp_path / "journal"
    words = ("--journal", str(journal))
    expected = checked(fleet, "--jobs", "1")
    assert expected.startswith(killed(fleet, *words))
    first = journal.read_bytes().count(b'{"checked"')
    with cluster(tmp_path) as two:
        assert expected.startswith(killed(fleet, *words, "--dask", two.address, lines=first + 1))
        assert 0 < first < journal.read_bytes().count(b'{"checked"')
        assert checked(fleet, *words, "--dask", two.address) == expected
    assert journal.read_bytes().count(b'{"checked"') == 40, "no target was checked twice"
    assert checked(fleet, *words, "--jobs", "2") == expected
    assert fleet.snapshot() == before


def killed(fleet: Fleet, *more: str, lines: int = 3) -> bytes:
    """The first lines of a run that ends with SIGKILL after them."""
    workers = () if "--dask" in more else ("--jobs", "2")
    words = ("fleet", fleet.file, "--check", "--at", "2026-12-01", "-q", *workers, *more)
    process = subprocess.Popen(
        [sys.executable, "-m", "rootfs_trust", *map(str, words)],
        cwd=fleet.directory.parent,
        env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
    )
    with process:
        first = b"".join(process.stdout.readline() for _ in range(lines))
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL and Path(fleet.file).exists()
    return first
