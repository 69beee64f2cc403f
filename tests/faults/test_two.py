"""A few rounds of two runs at once; ``python -m tests.faults.two`` makes hundreds."""

from __future__ import annotations

import pytest

from tests.faults.two import PAIRS, Rounds
from tests.support.peers import needs_root

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_two_runs_at_once_are_one_after_the_other(tmp_path, pair):
    needs_root()
    rounds = Rounds(pair, tmp_path)
    assert [told for delay in (None, 0.0, None, 0.1) if (told := rounds.round(delay)[1])] == []
