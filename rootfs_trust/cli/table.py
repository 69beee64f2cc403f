"""Text tables that fit the terminal: columns of low priority are omitted on narrow ones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rootfs_trust.text import printable

_GAP = 2
_SHORTEST = 12
"""Minimum width of the first column, in characters."""


class Column(NamedTuple):
    """A column. Columns with the highest ``rank`` are omitted first; rank 0 is always shown."""

    heading: str
    rank: int
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Return the lines of a table at most ``width`` characters wide (None: no limit). Cells may be untrusted text."""
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [
        max(map(len, [column.heading, *cells])) for column, cells in zip(columns, _cells(columns, rows), strict=True)
    ]
    shown = list(range(len(columns)))
    while width is not None and len(shown) > 1 and _least(widths, shown) > width:
        shown.remove(max(shown, key=lambda index: columns[index].rank))
    if width is not None:
        widths[0] = min(widths[0], max(_SHORTEST, width - _least(widths, shown) + min(widths[0], _SHORTEST)))
    for row in ([column.heading for column in columns], *rows):
        yield _line(columns, row, widths, shown)


def terminal_width() -> int | None:
    """Return the width of the terminal, or None if standard output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cells(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[index] for row in rows] for index in range(len(columns))]


def _least(widths: Sequence[int], shown: Sequence[int]) -> int:
    """Return the smallest width of a table with the columns ``shown``."""
    return min(widths[0], _SHORTEST) + sum(widths[index] + _GAP for index in shown if index)


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], shown: Sequence[int]) -> str:
    cells = []
    for index in shown:
        text, width = row[index], widths[index]
        text = text if len(text) <= width else text[: width - 1] + "…"
        cells.append(text.rjust(width) if columns[index].right else text.ljust(width))
    return (" " * _GAP).join(cells).rstrip()
