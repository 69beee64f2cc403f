"""What a worker does with a batch: syncs, faults, locks, bad input, versions. In this process, without a pool."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from dataclasses import replace

import pytest

from rootfs_trust.fleet import policies, worker
from rootfs_trust.fleet.worker import run_batch
from rootfs_trust.rootfs.plan import STAGED_PREFIX
from tests.support.authority import Authority

BUNDLE = "etc/ssl/certs/ca-certificates.crt"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    policies.load_job.cache_clear()
    monkeypatch.setattr(worker, "PAUSES", (0.0, 0.0, 0.0))


def told(results) -> list[tuple[str, str | None]]:
    return [(each.status, each.error) for each in results]


def done(results) -> dict[str, object]:
    return {each.target: each.done for each in results}


def staged(fleet) -> list[str]:
    return [name for name in fleet.contents() if STAGED_PREFIX in name]


def test_changed_then_skipped_then_unchanged(fleet):
    fleet.grow(3)
    first = run_batch(fleet.batch())
    assert told(first) == [("changed", None)] * 3
    before = fleet.snapshot()
    again = run_batch(fleet.batch(done(first)))
    assert told(again) == [("skipped", None)] * 3
    assert [each.digest for each in again] == [each.digest for each in first]
    searched = run_batch(fleet.batch())
    assert told(searched) == [("unchanged", None)] * 3
    assert [each.digest for each in searched] == [each.digest for each in first]
    assert fleet.snapshot() == before


def test_runtimes_are_changed_and_looked_at_again_when_touched(fleet):
    (one,) = fleet.grow(1)
    config = fleet.directory / "edge.toml"
    config.write_text(config.read_text() + '\n[runtimes]\nuse = ["certifi"]\n')
    store = one.path / "opt/app/lib/python3.11/site-packages/certifi/cacert.pem"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"# others\n")
    first = run_batch(fleet.batch())
    assert told(first) == [("changed", None)]
    assert b"rootfs-trust" in store.read_bytes()
    assert told(run_batch(fleet.batch(done(first)))) == [("skipped", None)]
    store.write_bytes(b"# an upgrade\n")
    assert told(run_batch(fleet.batch(done(first)))) == [("changed", None)]


def test_what_was_touched_since_is_done_again(fleet):
    one, two = fleet.grow(2)
    first = run_batch(fleet.batch())
    (one.path / BUNDLE).unlink()
    results = run_batch(fleet.batch(done(first)))
    assert [each.status for each in results] == ["changed", "skipped"]
    assert (one.path / BUNDLE).read_bytes() == (two.path / BUNDLE).read_bytes()


def test_digests_are_those_of_the_store(fleet):
    one, two = fleet.grow(2)
    one.write("usr/share/doc/other", b"no matter")
    first = [each.digest for each in run_batch(fleet.batch())]
    assert first[0] == first[1]
    link = next(each for each in (two.path / "etc/ssl/certs").iterdir() if each.name.endswith(".0"))
    link.unlink()
    link.symlink_to("ca.pem.missing")
    two.write("usr/local/share/ca-certificates/more.crt", Authority("More").pem)
    second = [each.digest for each in run_batch(fleet.batch())]
    assert second[0] == first[0] != second[1]
    fleet.renew()
    assert set(first + second).isdisjoint(each.digest for each in run_batch(fleet.batch()))


def test_two_syncs_a_batch_and_none_a_file(fleet, monkeypatch):
    """At the first everything is staged and nothing in place, at the second everything is in place."""
    trees = fleet.grow(4)
    seen, files = [], []

    def sync():
        seen.append(([(tree.path / BUNDLE).exists() for tree in trees], bool(staged(fleet))))

    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(os, "fsync", files.append)
    run_batch(fleet.batch())
    assert seen == [([False] * 4, True), ([True] * 4, False)]
    assert files == []
    run_batch(fleet.batch())
    assert len(seen) == 2, "a batch that writes nothing syncs nothing"


def test_a_tree_is_released_when_its_batch_ends(fleet):
    fleet.grow(2)
    before = len(os.listdir("/proc/self/fd"))
    run_batch(fleet.batch())
    assert len(os.listdir("/proc/self/fd")) == before


# -- bad input ---------------------------------------------------------------------------------------------


def test_bad_input_fails_its_own_target_alone_and_is_not_tried_again(fleet, monkeypatch):
    trees = fleet.grow(3)
    trees[1].write("etc/ca-certificates.conf", b"mozilla/Missing.crt\n" + trees[1].read("etc/ca-certificates.conf"))
    trees[1].write("usr/local/share/ca-certificates/key.crt", b"-----BEGIN PRIVATE KEY-----\nAAAA\n")
    before, tries = trees[1].snapshot(), []
    monkeypatch.setattr(time, "sleep", tries.append)
    results = run_batch(fleet.batch())
    assert [each.status for each in results] == ["changed", "failed", "changed"]
    assert "/usr/local/share/ca-certificates/key.crt" in results[1].error
    assert (results[1].digest, results[1].done) == ("", None)
    assert trees[1].snapshot() == before
    assert tries == []


def test_a_tree_that_is_gone(fleet):
    _one, two = fleet.grow(2)
    batch = fleet.batch()
    two.path.rename(two.path.with_name("moved"))
    assert [each.status for each in run_batch(batch)] == ["changed", "failed"]


def test_a_defect_of_ours_fails_one_target(fleet, monkeypatch):
    fleet.grow(2)
    real = policies.read_policy
    calls = []

    def defect(options):
        calls.append(options)
        if len(calls) == 1:
            raise RecursionError("too deep")
        return real(options)

    batch = fleet.batch()
    monkeypatch.setattr(policies, "read_policy", defect)
    results = run_batch(batch)
    assert told(results) == [("failed", "a defect: RecursionError('too deep')"), ("changed", None)]


def test_another_version_is_refused(fleet):
    fleet.grow(2)
    before = fleet.snapshot()
    results = run_batch(replace(fleet.batch(), version="0.0.9"))
    assert {each.status for each in results} == {"failed"}
    assert "not 0.0.9" in results[0].error
    assert fleet.snapshot() == before


def test_a_config_that_changes_underway_is_refused(fleet):
    fleet.grow(2)
    batch, before = fleet.batch(), fleet.snapshot()
    fleet.renew()
    results = run_batch(batch)
    assert {each.status for each in results} == {"failed"}
    assert "has changed since the run began" in results[0].error
    assert fleet.snapshot() == before


def test_a_dry_run_writes_nothing_and_keeps_nothing(fleet, monkeypatch):
    fleet.grow(2)
    before = fleet.snapshot()
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("nothing was written"))
    results = run_batch(fleet.batch(dry_run=True))
    assert told(results) == [("changed", None)] * 2
    assert done(results) == dict.fromkeys(done(results))
    assert fleet.snapshot() == before


# -- faults ------------------------------------------------------------------------------------------------


class Fault:
    """Lets the first ``after`` calls of ``os.NAME`` pass and fails the next ``times`` of them."""

    def __init__(self, monkeypatch, name: str, after: int, times: int, number: int) -> None:
        self.hits = 0
        real, calls = getattr(os, name), iter(range(10**9))

        def call(*words, **options):
            if after <= next(calls) < after + times:
                self.hits += 1
                raise OSError(number, os.strerror(number))
            return real(*words, **options)

        monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("name", ["rename", "symlink", "fchmod"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_fault_that_passes(fleet, monkeypatch, name, number):
    """Wherever it strikes, the tree is completed alone, and the bytes are those of an undisturbed run."""
    fleet.grow(2)
    undisturbed = fleet.copy("undisturbed")
    run_batch(undisturbed.batch())
    for after in (0, 1, 3):
        copy = fleet.copy(f"copy-{after}")
        with monkeypatch.context() as patched:
            fault = Fault(patched, name, after, 1, number)
            results = run_batch(copy.batch())
        assert fault.hits == 1
        assert told(results) == [("changed", None)] * 2
        assert copy.contents() == undisturbed.contents()


def test_a_full_disk(fleet, monkeypatch):
    """No tree can be written: each has failed after three attempts, says why, and is as it was."""
    fleet.grow(2)
    before = fleet.contents()
    fault = Fault(monkeypatch, "fchmod", 0, 10**6, errno.ENOSPC)
    results = run_batch(fleet.batch())
    assert [each.status for each in results] == ["failed"] * 2
    assert all("No space left on device" in each.error for each in results)
    assert fault.hits == 2 * (1 + 3)
    assert staged(fleet) == []
    files = {name: entry for name, entry in fleet.contents().items() if entry[1] is not None}
    assert files == {name: entry for name, entry in before.items() if entry[1] is not None}


def test_the_disk_is_full_for_a_while(fleet, monkeypatch):
    fleet.grow(3)
    undisturbed = fleet.copy("undisturbed")
    run_batch(undisturbed.batch())
    Fault(monkeypatch, "fchmod", 2, 5, errno.ENOSPC)
    results = run_batch(fleet.batch())
    assert {each.status for each in results} <= {"changed", "failed"}
    assert told(run_batch(fleet.batch(done(results))))
    assert fleet.contents() == undisturbed.contents()


# -- locks -------------------------------------------------------------------------------------------------


def test_a_locked_tree_is_waited_for_when_the_others_are_done(fleet):
    """Holding locks of a batch while waiting for another could stop two fleets for ever."""
    one, two = fleet.grow(2)
    fd = os.open(one.path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    results = []
    thread = threading.Thread(target=lambda: results.extend(run_batch(fleet.batch())))
    thread.start()
    while not (two.path / BUNDLE).exists():
        time.sleep(0.01)
    assert not (one.path / BUNDLE).exists()
    os.close(fd)
    thread.join(timeout=30)
    assert told(results) == [("changed", None)] * 2
