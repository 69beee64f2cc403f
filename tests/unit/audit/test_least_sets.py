"""The smallest sets that meet every requirement, as trying all sets finds them."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.audit.least_sets import least_sets

ITEMS = range(7)
WAY = st.frozensets(st.sampled_from(ITEMS), min_size=1, max_size=3)
REQUIREMENT = st.frozensets(WAY, min_size=1, max_size=4)


def meets(items, requirements) -> bool:
    return all(any(way <= items for way in requirement) for requirement in requirements)


@given(st.lists(REQUIREMENT, max_size=8))
def test_the_set_is_minimal(requirements):
    found = next(least_sets(requirements))
    every = (frozenset(each) for size in range(len(ITEMS) + 1) for each in combinations(ITEMS, size))
    assert meets(found, requirements)
    assert len(found) == len(next(each for each in every if meets(each, requirements)))


@given(st.lists(REQUIREMENT, max_size=6))
def test_every_further_one_meets_the_requirements_too(requirements):
    assert all(meets(each, requirements) for each in least_sets(requirements))


def test_of_equals_the_preferred_items_come_first():
    either = frozenset({frozenset({1}), frozenset({2})})
    assert [sorted(each) for each in least_sets([either])][:2] == [[1], [2]]


def test_a_requirement_without_alternative_cannot_be_met():
    assert not list(least_sets([frozenset()]))


def test_many_requirements_that_share_nothing_take_no_time():
    apart = [frozenset({frozenset({2 * n}), frozenset({2 * n + 1})}) for n in range(200)]
    assert next(least_sets(apart)) == {2 * n for n in range(200)}


def test_no_set_comes_twice():
    ways = frozenset({frozenset({1}), frozenset({2}), frozenset({1, 2})})
    found = list(least_sets([ways, frozenset({frozenset({1}), frozenset({3})})]))
    assert len(found) == len(set(found))


def test_requirements_that_share_items_through_another_one_are_solved_together():
    """Separately, the first two would take 0 and 2, and the last one 1."""
    requirements = [({0}, {1}), ({0, 2}, {3}), ({1}, {7})]
    assert next(least_sets(frozenset(map(frozenset, each)) for each in requirements)) == {1, 3}


def test_there_is_a_most_of_sets():
    assert len(list(least_sets([frozenset(frozenset({n}) for n in range(100))]))) == 64
    apart = [frozenset({frozenset({2 * n}), frozenset({2 * n + 1})}) for n in range(10)]
    assert len(list(least_sets(apart))) == 256
