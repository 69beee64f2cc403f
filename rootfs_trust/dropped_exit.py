"""SystemExit of a signal handler that Python drops.

Python runs signal handlers between any two instructions, and in finalizers too, for example of a generator that was not
exhausted. An exception there is only printed, and the run would continue (``sys.unraisablehook``).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_LATER = 0.001
"""Seconds. The finalizer has ended by then; if another one runs, the exception is dropped and raised again."""


@contextmanager
def dropped_exit_raised_again() -> Iterator[None]:
    """Raise a SystemExit that was dropped again, a moment later. For the main thread; uses SIGALRM."""
    hook, handler = sys.unraisablehook, signal.getsignal(signal.SIGALRM)

    def again(dropped: UnraisableHookArgs) -> None:
        if isinstance(dropped.exc_value, SystemExit):
            _raise_later(dropped.exc_value.code)
        else:
            hook(dropped)

    sys.unraisablehook = again
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        sys.unraisablehook = hook


def _raise_later(status: object) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(status)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _LATER)
