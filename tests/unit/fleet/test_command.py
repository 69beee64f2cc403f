"""``rootfs-trust fleet`` as it is run: lines, exit status, killed and continued, with one worker and with two."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rootfs_trust.rootfs.plan import STAGED_PREFIX
from tests.support.command import rootfs_trust
from tests.support.debian_tree import DebianTree, contents
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.unit.fleet.conftest import Fleet, lines, statuses


def run(fleet: Fleet, *words: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    done = rootfs_trust("fleet", fleet.file, *words, cwd=fleet.directory.parent)
    assert done.returncode == status, done.stderr.decode()
    return done


def test_a_line_a_target_and_a_table_at_the_end(fleet):
    one, two, _three = fleet.grow(3)
    two.write("usr/local/share/ca-certificates/key.crt", b"-----BEGIN PRIVATE KEY-----\nAAAA\n")
    done = run(fleet, "--jobs", "2", status=1)
    found = lines(done.stdout.decode())
    assert [each["target"] for each in found] == [f"out/{number:02}/rootfs" for number in range(3)]
    assert [each["status"] for each in found] == ["changed", "failed", "changed"]
    assert [len(each["digest"]) for each in found] == [64, 0, 64]
    assert [each["error"] is None for each in found] == [True, False, True]
    told = done.stderr.decode().splitlines()
    assert told[:3] == ["1 of 3 targets", "2 of 3 targets, 1 failed", "3 of 3 targets, 1 failed"]
    assert "changed          2  written" in told
    assert told[-2].split() == ["FAILED", "REASON"]
    assert told[-1].startswith("out/01/rootfs  /usr/local/share/ca-certificates/key.crt: ")
    assert (one.path / "etc/ssl/certs/ca.pem").is_symlink()
    # The same again: what is done is skipped, what failed is tried again.
    before = fleet.snapshot()
    again = run(fleet, "-q", status=1)
    assert list(statuses(again.stdout.decode()).values()) == ["skipped", "failed", "skipped"]
    assert again.stderr == b""
    assert fleet.snapshot() == before
    searched = run(fleet, "--fresh", "-v", status=1)
    assert list(statuses(searched.stdout.decode()).values()) == ["unchanged", "failed", "unchanged"]
    assert "1 of 3: unchanged out/00/rootfs" in searched.stderr.decode()


def test_a_new_policy_reaches_all_of_them(fleet):
    first, *_ = fleet.grow(2)
    run(fleet)
    renewed = fleet.renew()
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"changed"}
    assert renewed.pem in first.read("etc/ssl/certs/ca-certificates.crt")
    (fleet.directory / "edge.toml").write_text("# only a comment more\n" + (fleet.directory / "edge.toml").read_text())
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"skipped"}


def test_order_and_bytes_do_not_depend_on_the_number_of_workers(fleet):
    fleet.grow(9)
    other = fleet.copy("other")
    one, two = (run(each, "--jobs", n, "--timestamp", "5") for each, n in ((fleet, "1"), (other, "2")))
    assert one.stdout == two.stdout
    assert contents(fleet.directory / "out") == contents(other.directory / "out")
    written = {name: entry for name, entry in fleet.snapshot().items() if entry[3] == 5 * 10**9}
    assert written == {name: entry for name, entry in other.snapshot().items() if entry[3] == 5 * 10**9}
    assert len(written) > 9 * 5


def test_a_dry_run_writes_nothing(fleet):
    fleet.grow(2)
    before = fleet.snapshot()
    found = lines(run(fleet, "--dry-run").stdout.decode())
    assert [(each["status"], each["digest"]) for each in found] == [("changed", "")] * 2
    assert fleet.snapshot() == before
    assert not fleet.journal.exists()


def test_the_journal_may_be_elsewhere(fleet, tmp_path):
    fleet.grow(1)
    run(fleet, "--journal", str(tmp_path / "journal"))
    assert not fleet.journal.exists()
    assert set(statuses(run(fleet, "--journal", str(tmp_path / "journal")).stdout.decode()).values()) == {"skipped"}
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"unchanged"}


@pytest.mark.parametrize("words", [(), ("--format", "json")])
def test_mistakes_refuse_the_whole_fleet(fleet, words):
    """In fleet.toml, and in any config that it names: nothing is written, and all problems are reported at once."""
    fleet.grow(1)
    before = fleet.snapshot()
    (fleet.directory / "edge.toml").write_text("[[anchor]]\nfile = 'missing.pem'\n[[cloud]]\nkind = 'gcp'\n")
    other = '[[target]]\nroot = "out/00"\nconfig = "other.toml"\n'
    fleet.file.write_text(fleet.file.read_text() + other)
    done = run(fleet, *words, status=2)
    assert fleet.snapshot() == before
    if words:
        errors = json.loads(done.stdout)["errors"]
        assert [each["path"].rpartition("/")[2] for each in errors] == ["edge.toml:4", "other.toml"]
    else:
        assert done.stdout == b""
        assert done.stderr.decode().count("rootfs-trust: error: ") == 2


def test_wrong_use(fleet):
    fleet.grow(1)
    assert b"0 is not in the range" in run(fleet, "--jobs", "0", status=2).stderr
    missing = rootfs_trust("fleet", fleet.directory / "no.toml")
    assert (missing.returncode, missing.stdout) == (2, b"")


# -- killed ------------------------------------------------------------------------------------------------


def start(fleet: Fleet) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rootfs_trust", "fleet", fleet.file, "--jobs", "2", "-q"],
        env=PLAIN_ENVIRONMENT,
        cwd=fleet.directory,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def held(tree: DebianTree) -> Iterator[None]:
    """The lock of one tree, without which the fleet cannot end."""
    fd = os.open(tree.path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def workers(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes: not the tracker of resources that the standard library starts beside them."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_killed_in_the_middle_and_run_again(fleet):
    """Whole files at any time, the workers end with their parent, and the next run ends with the same bytes."""
    fleet.grow(16)
    undisturbed = fleet.copy("undisturbed")
    run(undisturbed)
    with held(fleet.trees[-1]), start(fleet) as process:
        first = json.loads(process.stdout.readline())
        pids = workers(process)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(pids) == 2
    deadline = time.monotonic() + 30
    while not all(map(is_gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(map(is_gone, pids))
    cut = fleet.contents()
    after, done = undisturbed.contents(), statuses(run(fleet).stdout.decode())
    for name, entry in cut.items():
        # Whatever is there by now is as it was, or as it will be.
        assert STAGED_PREFIX in name or name.endswith("tedge.toml") or entry == after[name]
    assert done[first["target"]] == "skipped"
    assert done["out/15/rootfs"] == "changed"
    assert set(done.values()) <= {"skipped", "changed", "unchanged"}
    assert fleet.contents() == after


def test_a_worker_is_killed(fleet):
    fleet.grow(16)
    undisturbed = fleet.copy("undisturbed")
    run(undisturbed)
    with start(fleet) as process:
        with held(fleet.trees[-1]):
            first = process.stdout.readline()
            os.kill(workers(process)[0], signal.SIGKILL)
        rest = process.stdout.read()
    assert process.returncode == 0
    found = lines(first + rest)
    assert [each["target"] for each in found] == [f"out/{number:02}/rootfs" for number in range(16)]
    assert {each["status"] for each in found} <= {"changed", "unchanged"}
    assert fleet.contents() == undisturbed.contents()
    assert set(statuses(run(fleet).stdout.decode()).values()) == {"skipped"}


def test_progress_on_a_terminal(fleet):
    """A bar on standard error; the lines of standard output stay as they are."""
    fleet.grow(2)
    leader, follower = os.openpty()
    words = [sys.executable, "-m", "rootfs_trust", "fleet", str(fleet.file)]
    done = subprocess.run(words, env=PLAIN_ENVIRONMENT, stdout=subprocess.PIPE, stderr=follower, timeout=60, check=True)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert "2/2" in shown and "changed          2" in shown
    assert len(lines(done.stdout.decode())) == 2
