"""The engines of `verify` on the sample of limbo, compared with what the real clients said (verdicts.json)."""

from __future__ import annotations

import pytest

from tests.limbo.agreement import cases_for, is_listed, recorded
from tests.limbo.cases import SAMPLE
from tests.limbo.ours import verdict
from tests.support.peers import unavailable

pytestmark = [pytest.mark.usefixtures("openssl_engine"), pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("engine", recorded())
def test_every_verdict_is_that_of_the_real_client(engine: str):
    if not SAMPLE.exists():
        unavailable(f"{SAMPLE} does not exist")
    cases = cases_for(engine)
    said = recorded()[engine]
    assert len(said) == len(cases)
    asked = zip(cases, said, strict=True)
    wrong = [case.id for case, word in asked if verdict(engine, case)[0] != (word == "y")]
    assert [case for case in wrong if not is_listed(engine, case)] == []
