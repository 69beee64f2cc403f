"""Runs a batch of tasks on a worker: a separate process, perhaps on another machine."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from typing import TypeAlias

from rootfs_trust import __version__
from rootfs_trust.errors import ApplyError, RootfsTrustError
from rootfs_trust.fleet.image_task import ImageWork
from rootfs_trust.fleet.messages import FAILED, Batch, TargetResult, Task
from rootfs_trust.fleet.root_task import RootWork

Work: TypeAlias = RootWork | ImageWork

PAUSES = (0.0, 0.2, 1.0)
"""Seconds to wait before each new attempt after a disk or network error. A target fails after the last attempt."""

_DISK = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EBUSY, errno.EAGAIN, errno.EINTR)
_NETWORK = (errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.EHOSTDOWN, errno.ENETUNREACH)
_LIMITS = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)
_FAULTS = frozenset((*_DISK, *_NETWORK, *_LIMITS))
"""Errors that may be temporary. Missing permissions and malformed files are permanent."""


def run_batch(batch: Batch[Task]) -> list[TargetResult]:
    """Run a batch, sync everything to disk, and return the results in the order of the tasks.

    A batch of several tasks shares two syncs of the whole machine; for a single task, each file is synced.
    """
    if batch.version != __version__:
        error = f"the worker has rootfs-trust {__version__}, not {batch.version}"
        return [TargetResult(task.name, FAILED, "", error) for task in batch.tasks]
    if len(batch.tasks) == 1:
        return [_run_with_retries(batch.tasks[0])]
    with ExitStack() as stack:
        works = [stack.enter_context(closing(_begin(task))) for task in batch.tasks]
        _run_step(works, lambda work: work.stage())
        _sync(works)
        _run_step(works, lambda work: work.publish())
    results = [work.result or _run_with_retries(work.task) for work in works]
    _sync(works)
    return results


def _begin(task: Task, *, durable: bool = False) -> Work:
    return RootWork(task, durable=durable) if task.dest is None else ImageWork(task)


def _run_step(works: Iterable[Work], step: Callable[[Work], None]) -> None:
    """Run ``step`` on every task. A task gets no result yet if it has a transient error or if its tree is locked."""
    for work in works:
        try:
            step(work)
        except Exception as error:  # a bug that one tree triggers must not stop the others
            work.close()
            if not _is_transient_error(error):
                work.result = _failed(work.task, error)


def _sync(works: Iterable[Work]) -> None:
    """Sync everything that was written. Like sync(2), it waits for the disk and reports no error."""
    if any(work.writes for work in works):
        os.sync()


def _run_with_retries(task: Task) -> TargetResult:
    """Run one task with each file synced, and repeat it after transient errors."""
    failure: Exception = TimeoutError("is locked by another run")
    for pause in PAUSES:
        time.sleep(pause)
        try:
            with closing(_begin(task, durable=True)) as work:
                work.stage()
                work.publish()
                if work.result is not None:
                    return work.result
        except Exception as error:  # as above: every error is in the result
            failure = error
            if not _is_transient_error(error):
                break
    return _failed(task, failure)


def _is_transient_error(error: BaseException) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(error, ApplyError) or (isinstance(cause, OSError) and cause.errno in _FAULTS)


def _failed(task: Task, error: Exception) -> TargetResult:
    text = str(error) if isinstance(error, RootfsTrustError | OSError) else f"a defect: {error!r}"
    return TargetResult(task.name, FAILED, "", text)
