"""A fleet run: group targets into batches, run them, and return the results in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from rootfs_trust import __version__
from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.output_file import place_in
from rootfs_trust.errors import JOURNAL, InputError, Problem, refuse
from rootfs_trust.fleet.executors import Workers, process_workers, usable_cpus
from rootfs_trust.fleet.journal import Journal
from rootfs_trust.fleet.messages import FAILED, Batch, JournalEntry, TargetConfig, TargetResult, Task
from rootfs_trust.fleet.policies import read_policy
from rootfs_trust.fleet.schedule import Schedule, WorkerJob
from rootfs_trust.fleet.targets import Target, read_targets
from rootfs_trust.fleet.worker import run_batch

BATCH = 16
"""The number of targets that share a sync. Each open tree needs about 30 of a process's 1024 file descriptors."""

AHEAD = 4
"""How many batches per worker may be finished beyond the first unfinished one. This limits memory use."""


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """The options of a fleet run.

    If ``journal`` is None, it is the fleet file with ``.done`` appended; a check then keeps none.
    """

    jobs: int | None = None
    """The number of worker processes; None for one per processor."""
    dask: str | None = None
    """The address of a Dask scheduler, to use its workers."""
    journal: str | None = None
    fresh: bool = False
    """Process every target, even if the journal says that it is done."""
    at: datetime | None = None
    timestamp: int | None = None
    dry_run: bool = False
    root_data: str | None = None
    """A file with a newer table of public roots; None for the table in the package."""


class Fleet:
    """The targets of the file at ``path``, with their policies read. Raises InputError before anything is written."""

    def __init__(self, path: str, options: FleetOptions) -> None:
        self._options = options
        self._journal = options.journal or f"{path}.done"
        self.targets = read_targets(path)
        refuse_journal_in(self._journal, (target.path for target in self.targets if target.dest is None))
        self._orders = self._read_orders()

    def run(self) -> Iterator[TargetResult]:
        """Process the targets, and yield the result of each in the order of the file. Raises InputError."""
        with ExitStack() as stack:
            journal = None if self._options.dry_run else stack.enter_context(Journal(self._journal))
            done = {} if journal is None or self._options.fresh else journal.done()
            workers = stack.enter_context(workers_of(self._options))
            arrived = journal.note if journal else _keep_nothing
            schedule = Schedule(WRITING, workers, workers.number * AHEAD, arrived)
            for results in schedule.run(self._batches(done, workers.number)):
                yield from results

    def _read_orders(self) -> dict[str, TargetConfig]:
        """Return the order of each configuration. Raises InputError with the problems of all of them."""
        at = self._options.at or utc_now()
        orders: dict[str, TargetConfig] = {}
        problems: list[Problem] = []
        for config in dict.fromkeys(target.config for target in self.targets):
            try:
                orders[config] = self._order(config, at)
            except InputError as error:
                problems += error.problems
        refuse(InputError, problems)
        return orders

    def _order(self, config: str, at: datetime) -> TargetConfig:
        timestamp, dry_run, root_data = self._options.timestamp, self._options.dry_run, self._options.root_data
        options = InstallOptions(config=config, at=at, timestamp=timestamp, dry_run=dry_run, root_data=root_data)
        _, digest = read_policy(options)
        return TargetConfig(config, digest, at, timestamp, dry_run, root_data)

    def _batches(self, done: Mapping[str, JournalEntry], workers: int) -> Iterator[Batch[Task]]:
        for number, part in parts(self.targets, workers):
            yield Batch(number, __version__, tuple(self._task(target, done) for target in part))

    def _task(self, target: Target, done: Mapping[str, JournalEntry]) -> Task:
        order, before = self._orders[target.config], done.get(target.name)
        same = before if before is not None and before.policy == order.policy else None
        own = before.output if before is not None else ""
        return Task(target.name, target.path, order, target.dest, same, own)


def refuse_journal_in(journal: str | None, folders: Iterable[str]) -> None:
    """Raise InputError if the journal is in a directory of a target."""
    if journal is not None and place_in(journal, folders) is not None:
        raise InputError(JOURNAL(journal, "is in the root filesystem of a target"))


def workers_of(options: FleetOptions) -> AbstractContextManager[Workers]:
    """Return the workers for ``options``."""
    if options.dask is None:
        return process_workers(options.jobs or usable_cpus())
    from rootfs_trust.fleet.dask import dask_workers

    return dask_workers(options.dask)


def parts(targets: Sequence[Target], workers: int) -> Iterator[tuple[int, Sequence[Target]]]:
    """Split the targets into numbered parts, each for one worker."""
    size = max(1, min(BATCH, len(targets) // (2 * workers)))
    for number in count():
        part = targets[number * size : (number + 1) * size]
        if not part:
            return
        yield number, part


def _lost_task(task: Task, error: str) -> TargetResult:
    return TargetResult(task.name, FAILED, "", error)


WRITING = WorkerJob(run_batch, _lost_task)


def _keep_nothing(_results: Sequence[TargetResult]) -> None:
    """Do nothing: used instead of writing to a journal in a dry run."""
