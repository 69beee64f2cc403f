"""Hands batches to an executor, a few at a time, and gives their results back in the order of the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace

from rootfs_trust.fleet.executors import Workers
from rootfs_trust.fleet.jobs import FAILED, Batch, Result, Task
from rootfs_trust.fleet.work import run_batch

_LIVES = 2
"""How often a task may be in the hands of a worker that dies, alone with it, before it has failed."""

Arrived = Callable[[list[Result]], None]


class Schedule:
    """Runs batches on ``workers``, at most ``ahead`` beyond the first that is not done.

    ``arrived`` is called with the results of each batch as soon as there are any, in whatever order.
    """

    def __init__(self, workers: Workers, ahead: int, arrived: Arrived) -> None:
        self._pool, self._deaths = workers.pool, workers.deaths
        self._executor: Executor = self._pool()
        self._ahead = ahead
        self._arrived = arrived
        self._running: dict[Future[list[Result]], Batch] = {}
        self._results: dict[int, list[Result]] = {}

    def run(self, batches: Iterable[Batch]) -> Iterator[list[Result]]:
        """The results of each batch, in the order of ``batches``, which are numbered from 0."""
        waiting = iter(batches)
        first, batch = 0, next(waiting, None)
        while batch is not None or self._running or self._results:
            while batch is not None and batch.number < first + self._ahead:
                self._submit(batch)
                batch = next(waiting, None)
            self._collect()
            while first in self._results:
                yield self._results.pop(first)
                first += 1

    def _submit(self, batch: Batch) -> None:
        try:
            self._running[self._executor.submit(run_batch, batch)] = batch
        except self._deaths:
            self._start_again([batch])

    def _collect(self) -> None:
        """Take in what is done by now, at least one batch where any runs."""
        if not self._running:
            return
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        lost = []
        for future in done:
            batch = self._running.pop(future)
            try:
                self._keep(batch, future.result())
            except self._deaths:
                lost.append(batch)
        if lost:
            self._start_again(lost)

    def _keep(self, batch: Batch, results: list[Result]) -> None:
        self._arrived(results)
        self._results[batch.number] = results

    def _start_again(self, lost: list[Batch]) -> None:
        """A worker died, and all that ran with it is lost: each of those tasks is done alone, to find the culprit."""
        wait(self._running)
        for future, batch in self._running.items():
            if future.exception() is None:
                self._keep(batch, future.result())
            else:
                lost.append(batch)
        self._running = {}
        self._executor = self._pool()
        for batch in lost:
            self._keep(batch, [self._alone(replace(batch, tasks=(task,))) for task in batch.tasks])

    def _alone(self, batch: Batch) -> Result:
        for _ in range(_LIVES):
            try:
                return self._executor.submit(run_batch, batch).result()[0]
            except self._deaths:
                self._executor = self._pool()
        return _lost(batch.tasks[0])


def _lost(task: Task) -> Result:
    return Result(task.name, FAILED, "", f"{_LIVES} worker processes ended while they had it: out of memory?")
