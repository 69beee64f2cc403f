"""TOML from strangers: tomllib, kept from what it takes hours or all memory for. Pure."""

from __future__ import annotations

import tomllib
from typing import Any


def loads(text: str, *, characters: int, dots: int) -> dict[str, Any]:
    """The parsed ``text`` of so many ``characters`` at most, and ``dots`` in a line.

    tomllib takes the square of a dotted key's parts, in time and in memory, and a key stands on one line.
    Raises ValueError, RecursionError where values are nested too deep; tomllib
    itself raises a plain ValueError for a number with more than 4,300 digits.
    """
    if len(text) > characters:
        raise ValueError(f"it has more than {characters} characters")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > dots:
            raise ValueError(f"line {number} has more than {dots} dots; write it on several lines")
    return tomllib.loads(text)
