"""A thread that computes one piece of a stream while the caller uses the previous one.

Decompression and digests release Python's interpreter lock, so two cores are busy. The thread opens and reads no file:
all system calls on files stay in the caller's thread, in the same order as without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

Task: TypeAlias = Callable[[], bytes]


class WorkerThread:
    """Runs one task at a time. The thread starts with the first task, and ends after :meth:`close`."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._results: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._running = False

    def start(self, task: Task) -> Task:
        """Start a task, and return a function that waits for its result. It raises what the task raises.

        If the system allows no more threads, the returned function is the task itself.
        """
        if not self._running:
            try:
                threading.Thread(target=_work, args=(self._tasks, self._results), daemon=True).start()
            except RuntimeError:
                return task
            self._running = True
        self._tasks.put(task)
        return self._result

    def close(self) -> None:
        """End the thread after its current task, without waiting for it."""
        self._tasks.put(None)

    def _result(self) -> bytes:
        result = self._results.get()
        if isinstance(result, Exception):
            raise result
        return result


def _work(tasks: SimpleQueue[Task | None], results: SimpleQueue[bytes | Exception]) -> None:
    while (task := tasks.get()) is not None:
        try:
            results.put(task())
        except Exception as error:
            results.put(error)
