"""Find the smallest sets of items that meet every requirement (an exact hitting set). Does no I/O.

A requirement is a list of alternatives; each is a set of items that meets it. Requirements without a common item are
solved separately, so the time depends on the largest group and not on the number of requirements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

Items = frozenset[int]
Requirement = frozenset[Items]

_MOST_OF_A_GROUP = 64
_MOST = 256
"""Maximum number of solutions per group, and in total."""


def least_sets(requirements: Iterable[Requirement]) -> Iterator[Items]:
    """Yield sets that meet every requirement, the smallest first. Among equal sizes, lower numbers come first.

    Yields nothing if a requirement has no alternative.
    """
    groups = _groups(_without_implied(requirements))
    solutions = [list(islice(_solutions(group), _MOST_OF_A_GROUP)) for group in groups]
    for chosen in islice(product(*solutions), _MOST):
        yield frozenset().union(*chosen)


def _without_implied(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return each requirement once, in a fixed order, without those that another one implies."""
    found = set(requirements)
    return sorted((each for each in found if not any(other < each for other in found)), key=_order)


def _order(requirement: Requirement) -> tuple[int, list[list[int]]]:
    return len(requirement), sorted(map(sorted, requirement))


def _groups(requirements: Sequence[Requirement]) -> list[list[Requirement]]:
    groups: list[tuple[set[int], list[Requirement]]] = []
    for requirement in requirements:
        items = set().union(*requirement)
        members = [requirement]
        apart = []
        for group in groups:
            if group[0].isdisjoint(items):
                apart.append(group)
            else:
                items |= group[0]
                members = [*group[1], *members]
        groups = [*apart, (items, members)]
    return [members for _, members in groups]


def _solutions(requirements: Sequence[Requirement]) -> Iterator[Items]:
    items = len(frozenset().union(*(each for one in requirements for each in one)))
    seen: set[Items] = set()
    for size in range(items + 1):
        for found in _of_size(requirements, frozenset(), size):
            if found not in seen:
                seen.add(found)
                yield found


def _of_size(requirements: Sequence[Requirement], chosen: Items, size: int) -> Iterator[Items]:
    """Yield sets of at most ``size`` items that include ``chosen`` and meet all requirements."""
    left = [each for each in requirements if not any(way <= chosen for way in each)]
    if not left:
        yield chosen
        return
    for way in sorted(sorted(left, key=_order)[0], key=sorted):
        if len(chosen | way) <= size:
            yield from _of_size(left, chosen | way, size)
