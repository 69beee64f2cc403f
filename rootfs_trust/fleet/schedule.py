"""Submit batches to an executor, a few at a time, and return their results in the order of the batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from rootfs_trust.fleet.executors import Workers
from rootfs_trust.fleet.messages import Batch, CheckResult, CheckTask, TargetResult, Task

_LIVES = 2
"""A task fails after this many workers have died while they ran it alone."""

_Task = TypeVar("_Task", bound=Task | CheckTask)
_Done = TypeVar("_Done", bound=TargetResult | CheckResult)


@dataclass(frozen=True, slots=True)
class WorkerJob(Generic[_Task, _Done]):
    """``run`` processes a batch on a worker. ``lost`` returns the result of a task whose workers died."""

    run: Callable[[Batch[_Task]], list[_Done]]
    lost: Callable[[_Task, str], _Done]


class Schedule(Generic[_Task, _Done]):
    """Runs batches of ``job`` on ``workers``, at most ``ahead`` batches beyond the first unfinished one.

    ``arrived`` is called with the results of each finished batch, in any order.
    """

    def __init__(
        self, job: WorkerJob[_Task, _Done], workers: Workers, ahead: int, arrived: Callable[[list[_Done]], None]
    ) -> None:
        self._job = job
        self._pool, self._deaths = workers.pool, workers.deaths
        self._executor: Executor = self._pool()
        self._ahead = ahead
        self._arrived = arrived
        self._running: dict[Future[list[_Done]], Batch[_Task]] = {}
        self._results: dict[int, list[_Done]] = {}

    def run(self, batches: Iterable[Batch[_Task]]) -> Iterator[list[_Done]]:
        """Yield the results of each batch, in the order of ``batches``. Batches are numbered from 0."""
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

    def _submit(self, batch: Batch[_Task]) -> None:
        try:
            self._running[self._executor.submit(self._job.run, batch)] = batch
        except self._deaths:
            self._start_again([batch])

    def _collect(self) -> None:
        """Collect finished batches. If any batch is running, wait until at least one is finished."""
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

    def _keep(self, batch: Batch[_Task], results: list[_Done]) -> None:
        self._arrived(results)
        self._results[batch.number] = results

    def _start_again(self, lost: list[Batch[_Task]]) -> None:
        """After a worker has died, run each lost task alone, to find the task that kills workers."""
        wait(self._running)
        for future, batch in self._running.items():
            if future.exception() is None:
                self._keep(batch, future.result())
            else:
                lost.append(batch)
        self._running = {}
        self._executor = self._pool()
        for batch in lost:
            self._keep(batch, [self._run_alone(replace(batch, tasks=(task,))) for task in batch.tasks])

    def _run_alone(self, batch: Batch[_Task]) -> _Done:
        for _ in range(_LIVES):
            try:
                return self._executor.submit(self._job.run, batch).result()[0]
            except self._deaths:
                self._executor = self._pool()
        return self._job.lost(batch.tasks[0], f"{_LIVES} worker processes died while they ran it: out of memory?")
