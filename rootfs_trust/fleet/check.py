"""``fleet --check``: check every target, and write nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime

from rootfs_trust import __version__
from rootfs_trust.api.check import question_of
from rootfs_trust.api.clock import utc_now
from rootfs_trust.audit.findings import WARNING
from rootfs_trust.errors import InputError, Problem
from rootfs_trust.fleet.check_work import lost, resolve_who, run_check_batch
from rootfs_trust.fleet.messages import Batch, CheckOrder, CheckResult, CheckTask
from rootfs_trust.fleet.run import AHEAD, FleetOptions, parts, workers_of
from rootfs_trust.fleet.schedule import Schedule, WorkerJob
from rootfs_trust.fleet.targets import Target, read_targets
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.root_data import load_root_data

CHECKING = WorkerJob(run_check_batch, lost)


class FleetCheck:
    """Checks the targets of the file at ``path`` against their configurations.

    ``who``      report only which clients trust this certificate: an incident, ``sha256:``, ``spki:`` or ``file:``.
    ``fail_on``  the lowest level of findings that count.

    Raises InputError if the file, a configuration or ``who`` is invalid.
    """

    def __init__(self, path: str, options: FleetOptions, *, who: str | None = None, fail_on: str = WARNING) -> None:
        self._options, self._who, self._fail_on = options, who, fail_on
        self.at = options.at or utc_now()
        self.targets = read_targets(path, writing=False)
        self._refuse()

    def run(self) -> Iterator[CheckResult]:
        """Check the targets, and yield the result of each in the order of the file."""
        with ExitStack() as stack:
            workers = stack.enter_context(workers_of(self._options))
            schedule = Schedule(CHECKING, workers, workers.number * AHEAD, _keep_nothing)
            for results in schedule.run(self._batches(workers.number)):
                yield from results

    def _refuse(self) -> None:
        """Raise InputError with every problem that would occur in all targets."""
        problems: list[Problem] = []
        data = load_root_data(self._options.root_data)
        if self._who is not None:
            resolve_who(self._who, self._options.root_data)
            return
        for config in dict.fromkeys(target.config for target in self.targets if target.config):
            try:
                question_of(load_config(config, self._options.root_data), self.at, data)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*dict.fromkeys(problems))

    def _batches(self, workers: int) -> Iterator[Batch[CheckTask]]:
        for number, part in parts(self.targets, workers):
            yield Batch(number, __version__, tuple(map(self._task, part)))

    def _task(self, target: Target) -> CheckTask:
        return CheckTask(target.name, target.path, self._order(target.config, self.at), target.states)

    def _order(self, config: str, at: datetime) -> CheckOrder:
        # The question who trusts a certificate is the same whatever the config.
        asked = config if config and self._who is None else None
        return CheckOrder(asked, at, self._options.root_data, self._fail_on, self._who)


def _keep_nothing(_results: Sequence[CheckResult]) -> None:
    """Write no journal: a later check must read the targets again."""
