"""``rootfs-trust`` with the worker of a fleet in the same process, so that its calls have one order and one count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

from rootfs_trust.cli.run import main
from rootfs_trust.fleet.executors import Workers


class Here(Executor):
    """Runs what it is given at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def _workers(_jobs: int) -> Iterator[Workers]:
    yield Workers(Here, 1)


def one_process() -> Any:
    """While this is entered, a fleet has its worker here."""
    return mock.patch("rootfs_trust.fleet.run.process_workers", _workers)


if __name__ == "__main__":
    with one_process():
        main()
