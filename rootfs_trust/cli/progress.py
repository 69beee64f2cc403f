"""Progress on standard error: a bar on a terminal, otherwise occasional lines."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType

import click

from rootfs_trust.cli.output import QUIET, VERBOSE, echo

_LINES = 10
"""Number of progress lines per run without a terminal; with ``-v`` there is one per target."""

_CLEAR = "\r\x1b[K"


class Progress:
    """Progress of a run over ``total`` targets."""

    def __init__(self, total: int, verbosity: int) -> None:
        self._total = total
        self._verbosity = verbosity
        self._count = 0
        self._stack = ExitStack()
        self._on_terminal = verbosity > QUIET and sys.stderr.isatty()
        self._shares_it = self._on_terminal and sys.stdout.isatty()
        if self._on_terminal:
            self._bar = self._stack.enter_context(click.progressbar(length=total, file=sys.stderr, show_pos=True))

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def clear(self) -> None:
        """Erase the bar before a line of standard output; the next step draws it again."""
        if self._shares_it:
            click.echo(_CLEAR, nl=False, err=True)

    def advance(self, target: str, status: str, failed: int) -> None:
        """Count one finished target. ``failed`` is the number of failures so far."""
        self._count += 1
        if self._on_terminal:
            self._bar.update(1)
            self._bar.render_progress()
        elif self._verbosity >= VERBOSE:
            echo(f"{self._count} of {self._total}: {status} {target}", err=True)
        elif self._verbosity > QUIET and self._is_due():
            told = f", {failed} failed" if failed else ""
            echo(f"{self._count} of {self._total} targets{told}", err=True)

    def _is_due(self) -> bool:
        return self._count * _LINES // self._total > (self._count - 1) * _LINES // self._total
