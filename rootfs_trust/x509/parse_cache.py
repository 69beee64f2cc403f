"""A cache for functions that parse bytes: a run reads the same certificates in many files, and a tree several times."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

SMALL, LARGE = 8 << 10, 1 << 20
"""Sizes in bytes up to which results are cached. Larger data is parsed each time."""
MOST_SMALL, MOST_LARGE = 16384, 16
"""Maximum numbers of cached results: at most 128 and 16 MiB of data. The certificates of a larger store are parsed for
every client.
"""


def cached(parse: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Cache the results of ``parse``, whose last argument is the data. Exceptions are not cached. Safe in threads."""
    uncached: Any = parse
    small, large = lru_cache(MOST_SMALL)(uncached), lru_cache(MOST_LARGE)(uncached)

    @wraps(parse)
    def parse_or_look_up(*arguments: Any) -> Any:
        size = len(arguments[-1])
        function = small if size <= SMALL else large if size <= LARGE else uncached
        return function(*arguments)

    return cast(Callable[_Arguments, _Result], parse_or_look_up)
