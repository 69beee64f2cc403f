"""The schedule: results in the order of the batches, few at a time, whatever the executor does."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from rootfs_trust.errors import ApplyError
from rootfs_trust.fleet.executors import Workers, process_workers
from rootfs_trust.fleet.messages import Batch, TargetResult, Task
from rootfs_trust.fleet.run import WRITING
from rootfs_trust.fleet.schedule import Schedule, WorkerJob


def batches(count: int, size: int = 1) -> Iterator[Batch]:
    for number in range(count):
        yield Batch(number, "v", tuple(Task(f"{number}.{index}", "/", None) for index in range(size)))


def results(batch: Batch) -> list[TargetResult]:
    return [TargetResult(task.name, "changed", "d") for task in batch.tasks]


def job(run) -> WorkerJob:
    return WorkerJob(run, WRITING.lost)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_order_is_that_of_the_batches(workers):
    def slow_first(batch):
        time.sleep(0.05 if batch.number % 4 == 0 else 0)
        return results(batch)

    arrived = []
    with ThreadPoolExecutor(workers) as pool:
        found = [
            one[0].target
            for one in Schedule(job(slow_first), Workers(lambda: pool, 1), 5, arrived.extend).run(batches(12))
        ]
    assert found == [f"{number}.0" for number in range(12)]
    assert sorted(each.target for each in arrived) == sorted(found)


def test_little_is_ahead_of_a_batch_that_takes_long():
    go, begun = threading.Event(), []

    def stuck(batch):
        begun.append(batch.number)
        if batch.number == 0:
            go.wait(10)
        return results(batch)

    with ThreadPoolExecutor(2) as pool:
        threading.Timer(0.3, go.set).start()
        found = []
        for one in Schedule(job(stuck), Workers(lambda: pool, 2), 3, lambda _results: None).run(batches(9)):
            if not found:
                assert max(begun) <= 2 + 3
            found += one
    assert len(found) == 9


class Mortal(Executor):
    """Runs at once, in this thread; dies of the batches that hold a task of ``deadly``, and then is of no use."""

    def __init__(self, deadly: dict[str, int]) -> None:
        self._deadly = deadly
        self._cannot_start = False

    def submit(self, function, batch):
        if self._cannot_start:
            raise BrokenExecutor
        future: Future = Future()
        culprits = [task.name for task in batch.tasks if self._deadly.get(task.name)]
        if culprits:
            self._deadly[culprits[0]] -= 1
            self._cannot_start = True
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(function(batch))
        return future


@pytest.mark.parametrize(("deaths", "status"), [(1, "changed"), (2, "changed"), (3, "failed"), (99, "failed")])
def test_a_task_of_which_workers_die_fails_alone(deaths, status):
    deadly, arrived = {"1.1": deaths}, []
    run = Schedule(job(results), Workers(lambda: Mortal(deadly), 1), 4, arrived.extend).run(batches(4, size=3))
    found = [each for one in run for each in one]
    assert [each.target for each in found] == [f"{number}.{index}" for number in range(4) for index in range(3)]
    assert {each.target: each.status for each in found} == {
        **{each.target: "changed" for each in found},
        "1.1": status,
    }
    assert sorted(arrived) == sorted(found)


def test_if_no_process_can_be_started_the_error_says_so(monkeypatch):
    def no_process(*_args):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", no_process)
    with process_workers(1) as workers, pytest.raises(ApplyError) as raised:
        workers.pool().submit(print)
    assert str(raised.value) == (
        "cannot start a worker process: Resource temporarily unavailable; "
        "allow this user more processes (ulimit -u), or use fewer --jobs"
    )
