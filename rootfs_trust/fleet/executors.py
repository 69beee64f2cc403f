"""Worker processes on this machine. Any ``concurrent.futures.Executor`` can replace them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import FrameType
from typing import Any, NamedTuple

from rootfs_trust.dropped_exit import dropped_exit_raised_again
from rootfs_trust.errors import SYSTEM, ApplyError


class Workers(NamedTuple):
    """A function ``pool`` that creates an executor with ``number`` workers. If workers die, the executor raises one of
    the exceptions ``deaths``, and ``pool`` is called again.
    """

    pool: Callable[[], Executor]
    number: int
    deaths: tuple[type[Exception], ...] = (BrokenExecutor,)


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def process_workers(jobs: int) -> Iterator[Workers]:
    """Return ``jobs`` worker processes. They are spawned, so they inherit no thread, lock or file descriptor."""
    context = multiprocessing.get_context("spawn")
    made: list[ProcessPoolExecutor] = []

    def pool() -> Executor:
        with _terminal_signals_blocked():
            made.append(_Pool(jobs, mp_context=context, initializer=_begin))
        return made[-1]

    try:
        yield Workers(pool, jobs)
    finally:
        for each in made:
            each.shutdown(cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    """A process pool whose workers ignore the terminal's signals (Ctrl-C, hang-up).

    The parent handles these signals, and the workers finish their batch. If the parent is killed, the workers end.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        try:
            with _terminal_signals_blocked():  # this call starts processes, which inherit the mask
                return super().submit(_until_terminated, fn, *args, **kwargs)
        except OSError as error:
            hint = "allow this user more processes (ulimit -u), or use fewer --jobs"
            raise ApplyError(SYSTEM("", f"cannot start a worker process: {error.strerror}", hint)) from error


def _until_terminated(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the result of ``fn``. SIGTERM deletes temporary files and ends the worker. Before the first call there are
    none, and SIGTERM kills it.
    """
    try:
        signal.signal(signal.SIGTERM, _terminate)
        with dropped_exit_raised_again():
            return fn(*args, **kwargs)
    except SystemExit:  # temporary files are deleted by now; a result would keep the pool alive
        os._exit(1)


@contextmanager
def _terminal_signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Make the worker end with its parent, even if the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
