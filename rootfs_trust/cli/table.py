"""Text tables that fit the terminal: narrow ones lose the columns that matter least."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_GAP = 2
_SHORTEST = 12
"""Characters to which the first column may shrink."""


class Column(NamedTuple):
    """A heading; columns of higher ``rank`` are left out first, the first column (rank 0) never."""

    heading: str
    rank: int
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of a table no wider than ``width`` characters; None: as wide as it wants to be."""
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
    """Characters across, where a person reads; None where a program does."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cells(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[index] for row in rows] for index in range(len(columns))]


def _least(widths: Sequence[int], shown: Sequence[int]) -> int:
    """How wide the columns ``shown`` are, with the first one as short as it may be."""
    return min(widths[0], _SHORTEST) + sum(widths[index] + _GAP for index in shown if index)


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], shown: Sequence[int]) -> str:
    cells = []
    for index in shown:
        text, width = row[index], widths[index]
        text = text if len(text) <= width else text[: width - 1] + "…"
        cells.append(text.rjust(width) if columns[index].right else text.ljust(width))
    return (" " * _GAP).join(cells).rstrip()
