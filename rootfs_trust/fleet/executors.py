"""Who does the work: processes of this machine. Anything that is a ``concurrent.futures.Executor`` will do."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import NamedTuple


class Workers(NamedTuple):
    """``number`` workers. ``pool`` makes an executor, and is asked again where workers died, which ``deaths`` tell."""

    pool: Callable[[], Executor]
    number: int
    deaths: tuple[type[Exception], ...] = (BrokenExecutor,)


def usable_cpus() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def process_workers(jobs: int) -> Iterator[Workers]:
    """``jobs`` processes, each started anew so that they inherit no thread, lock or descriptor of ours."""
    context = multiprocessing.get_context("spawn")
    made: list[ProcessPoolExecutor] = []

    def pool() -> Executor:
        made.append(ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent))
        return made[-1]

    try:
        yield Workers(pool, jobs)
    finally:
        for each in made:
            each.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A worker whose parent was killed ends as well, wherever it is: the next run completes its work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
