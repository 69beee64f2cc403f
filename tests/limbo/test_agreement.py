"""The engines of `verify` beside the real clients: on the sample of limbo, and on made cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.limbo.agreement import main
from tests.limbo.cases import SAMPLE
from tests.limbo.generate import Maker
from tests.limbo.real import REAL
from tests.support.peers import unavailable

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("engine", REAL)
def test_the_sample_of_limbo(engine: str):
    if not SAMPLE.exists():
        unavailable(f"{SAMPLE} does not exist")
    assert main(SAMPLE, [engine]) == 0


@pytest.mark.parametrize("engine", REAL)
def test_made_cases(engine: str, tmp_path: Path):
    maker = Maker(32)
    file = tmp_path / "made.json"
    file.write_text(json.dumps({"testcases": [maker.case(number) for number in range(400)]}))
    assert main(file, [engine]) == 0
