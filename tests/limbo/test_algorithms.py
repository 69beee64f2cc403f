"""The engines of `verify` beside the real clients on keys of every algorithm, and the record of what those say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.limbo.agreement import cases_for, differences, is_listed, real_verdicts
from tests.limbo.algorithms import ALGORITHMS, KINDS, RECORDED, cases
from tests.limbo.ours import machine
from tests.limbo.real import REAL

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("algorithms") / "cases.json"
    file.write_text(json.dumps({"testcases": list(cases())}))
    return file


@pytest.mark.parametrize("engine", REAL)
def test_the_engines_agree_with_the_real_clients(engine: str, file: Path):
    asked = cases_for(engine, file)
    different = [case.id for case, _ in differences(engine, asked, real_verdicts(engine, asked))]
    assert [case for case in different if not is_listed(engine, case)] == []


@pytest.mark.parametrize("engine", REAL)
def test_the_record_is_what_the_real_clients_say(engine: str, file: Path):
    said = real_verdicts(engine, cases_for(engine, file))
    found = {
        name: "".join("y" if said[f"algorithm::{name}::{kind}"][0] else "n" for kind in KINDS) for name in ALGORITHMS
    }
    recorded = RECORDED[f"{engine} {machine(engine)}"]
    assert found == {name: letters[: len(KINDS)] for name, letters in recorded.items()}
