"""Parse untrusted TOML with tomllib, with limits on time and memory."""

from __future__ import annotations

import tomllib
from typing import Any


def loads(text: str, *, characters: int, dots: int) -> dict[str, Any]:
    """Parse ``text`` with at most ``characters`` characters, and ``dots`` dots per line.

    tomllib needs time and memory quadratic in the number of parts of a dotted key, and a key is on one line. Raises
    ValueError, or RecursionError if values are nested too deeply. tomllib itself raises a plain ValueError for a number
    with more than 4,300 digits.
    """
    if len(text) > characters:
        raise ValueError(f"it has more than {characters} characters")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > dots:
            raise ValueError(f"line {number} has more than {dots} dots; write it on several lines")
    return tomllib.loads(text)
