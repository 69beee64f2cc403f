"""A fleet run: targets become batches of tasks, and results come back in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from rootfs_trust import __version__
from rootfs_trust.api.clock import time_here
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.fleet.executors import Workers, process_workers, usable_cpus
from rootfs_trust.fleet.jobs import Batch, Done, Order, Result, Task
from rootfs_trust.fleet.journal import Journal
from rootfs_trust.fleet.policies import read_policy
from rootfs_trust.fleet.schedule import Schedule
from rootfs_trust.fleet.targets import Target, read_targets

BATCH = 16
"""Targets that share a sync. Each open tree takes some 30 descriptors of a process's 1024."""

_AHEAD = 4
"""Batches per worker that may be done before the first one that is not: what is held in memory is bounded."""


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How a fleet is run. ``journal`` None: beside the file, with ``.done`` behind its name."""

    jobs: int | None = None
    """Worker processes; None: as many as there are processors."""
    dask: str | None = None
    """The address of a Dask scheduler, whose workers do it instead."""
    journal: str | None = None
    fresh: bool = False
    """Look at every target, whatever the journal says."""
    at: datetime | None = None
    timestamp: int | None = None
    dry_run: bool = False


class Fleet:
    """The targets of the file at ``path``, their policies read. Raises InputError; nothing was written then."""

    def __init__(self, path: str, options: FleetOptions) -> None:
        self._options = options
        self._journal = options.journal or f"{path}.done"
        self.targets = read_targets(path)
        self._orders = self._read_orders()

    def run(self) -> Iterator[Result]:
        """Do it; the result of each target, in the order of the file. Raises InputError."""
        with ExitStack() as stack:
            journal = None if self._options.dry_run else stack.enter_context(Journal(self._journal))
            done = {} if journal is None or self._options.fresh else journal.done()
            workers = stack.enter_context(self._workers())
            schedule = Schedule(workers, workers.number * _AHEAD, journal.note if journal else _keep_nothing)
            for results in schedule.run(self._batches(done, workers.number)):
                yield from results

    def _workers(self) -> AbstractContextManager[Workers]:
        if self._options.dask is None:
            return process_workers(self._options.jobs or usable_cpus())
        from rootfs_trust.fleet.dask import dask_workers

        return dask_workers(self._options.dask)

    def _read_orders(self) -> dict[str, Order]:
        """The order of each config. Raises InputError with the trouble of all of them."""
        at = self._options.at or time_here()
        orders: dict[str, Order] = {}
        troubles: list[Trouble] = []
        for config in dict.fromkeys(target.config for target in self.targets):
            try:
                orders[config] = self._order(config, at)
            except InputError as error:
                troubles += error.troubles
        if troubles:
            raise InputError(*troubles)
        return orders

    def _order(self, config: str, at: datetime) -> Order:
        timestamp, dry_run = self._options.timestamp, self._options.dry_run
        _, digest = read_policy(InstallOptions(config=config, at=at, timestamp=timestamp, dry_run=dry_run))
        return Order(config, digest, at, timestamp, dry_run)

    def _batches(self, done: Mapping[str, Done], workers: int) -> Iterator[Batch]:
        size = max(1, min(BATCH, len(self.targets) // (2 * workers)))
        for number in count():
            part = self.targets[number * size : (number + 1) * size]
            if not part:
                return
            yield Batch(number, __version__, tuple(self._task(target, done) for target in part))

    def _task(self, target: Target, done: Mapping[str, Done]) -> Task:
        order, before = self._orders[target.config], done.get(target.name)
        same = before if before is not None and before.policy == order.policy else None
        own = before.output if before is not None else ""
        return Task(target.name, target.path, order, target.dest, same, own)


def _keep_nothing(_results: Sequence[Result]) -> None:
    """A dry run leaves no trace."""
