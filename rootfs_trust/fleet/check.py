"""``fleet --check``: check every target, and write nothing to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime

from rootfs_trust import __version__
from rootfs_trust.api.check import question_of
from rootfs_trust.api.clock import utc_now
from rootfs_trust.audit.findings import WARNING
from rootfs_trust.errors import InputError, Problem, refuse
from rootfs_trust.fleet.check_journal import CheckJournal, Key
from rootfs_trust.fleet.check_work import lost, resolve_who, run_check_batch
from rootfs_trust.fleet.messages import Batch, CheckOrder, CheckResult, CheckTask
from rootfs_trust.fleet.policies import check_policy_digest
from rootfs_trust.fleet.run import AHEAD, FleetOptions, parts, refuse_journal_in, workers_of
from rootfs_trust.fleet.schedule import Schedule, WorkerJob
from rootfs_trust.fleet.targets import Target, read_targets
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.root_data import load_root_data
from rootfs_trust.rootfs.device_state import parse_state

CHECKING = WorkerJob(run_check_batch, lost)


class FleetCheck:
    """Checks the targets of the file at ``path`` against their configurations.

    ``who``      report only which clients trust this certificate: an incident, ``sha256:``, ``spki:`` or ``file:``.
    ``fail_on``  the lowest level of findings that count.

    With a journal, the results of finished targets that have not changed are used again, and a check that did not end
    is continued at its time. Raises InputError if the file, a configuration or ``who`` is invalid.
    """

    def __init__(self, path: str, options: FleetOptions, *, who: str | None = None, fail_on: str = WARNING) -> None:
        self._options, self._who, self._fail_on = options, who, fail_on
        self.targets = read_targets(path, writing=False)
        refuse_journal_in(options.journal, (folder for target in self.targets for folder in _directories(target)))
        self.continued = None if options.at or options.fresh else _unfinished(options.journal)
        """The time of the check that this one continues."""
        self.at = options.at or self.continued or utc_now()
        self._orders = self._read_orders()

    def run(self) -> Iterator[CheckResult]:
        """Check the targets, and yield the result of each in the order of the file."""
        with ExitStack() as stack:
            path = self._options.journal
            journal = None if path is None else stack.enter_context(CheckJournal(path))
            workers = stack.enter_context(workers_of(self._options))
            schedule = Schedule(CHECKING, workers, workers.number * AHEAD, journal.note if journal else _keep_nothing)
            tasks = self._tasks(journal)
            if journal is not None:
                journal.begin(self.at)
            for results in schedule.run(_batches(self.targets, tasks, workers.number)):
                yield from results
            if journal is not None:
                journal.end()

    def _read_orders(self) -> dict[str, CheckOrder]:
        """Return the order of each configuration. Raises InputError with every problem that all targets would have."""
        orders: dict[str, CheckOrder] = {}
        problems: list[Problem] = []
        for config in dict.fromkeys(target.config for target in self.targets):
            try:
                orders[config] = self._order(config)
            except InputError as error:
                problems += error.problems
        refuse(InputError, problems)
        return orders

    def _order(self, config: str) -> CheckOrder:
        root_data, journaled = self._options.root_data, self._options.journal is not None
        if self._who is not None:  # the question does not depend on the config
            order = CheckOrder(None, self.at, root_data, self._fail_on, self._who)
            selections = [resolve_who(self._who, root_data)]
            return order._replace(policy=check_policy_digest(order, selections)) if journaled else order
        order = CheckOrder(config or None, self.at, root_data, self._fail_on, None)
        question = question_of(load_config(order.config, root_data), self.at, load_root_data(root_data))
        selections = [*question.distrust, *question.policy.forbid, *question.policy.allow_only]
        certificates = [*question.own, *(each.sha256 for server in question.servers for each in server.chain.sent)]
        return order._replace(policy=check_policy_digest(order, selections, certificates)) if journaled else order

    def _tasks(self, journal: CheckJournal | None) -> Iterator[CheckTask]:
        """Yield the task of each target, with the result of an earlier run."""
        done: Mapping[Key, int] = {} if journal is None or self._options.fresh else journal.positions()
        for target in self.targets:
            order = self._orders[target.config]
            position = done.get((target.name, target.states, order.policy))
            before = None if journal is None or position is None else journal.result(position)
            yield CheckTask(target.name, target.path, order, target.states, before)


def _batches(targets: Sequence[Target], tasks: Iterator[CheckTask], workers: int) -> Iterator[Batch[CheckTask]]:
    for number, part in parts(targets, workers):
        yield Batch(number, __version__, tuple(next(tasks) for _ in part))


def _keep_nothing(_results: Sequence[CheckResult]) -> None:
    """Do nothing: used instead of writing to a journal."""


def _directories(target: Target) -> Iterator[str]:
    yield target.path
    yield from (parse_state(text).directory for text in target.states)


def _unfinished(journal: str | None) -> datetime | None:
    """Return the time of the check in the journal that did not end."""
    if journal is None or not os.path.exists(journal):
        return None
    with CheckJournal(journal) as opened:
        return opened.unfinished()
