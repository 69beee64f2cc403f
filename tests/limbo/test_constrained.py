"""Constrained anchors: the real clients say what `verify` says, and what the docs print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.limbo.agreement import main
from tests.limbo.constrained import KEYS, cases, table
from tests.limbo.real import REAL

DOCUMENT = Path(__file__).parents[2] / "docs" / "constrained-anchors.md"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", REAL)
def test_real_clients_hold_a_constrained_anchor_to_its_names_as_verify_says(engine: str, tmp_path: Path):
    file = tmp_path / "constrained.json"
    file.write_text(json.dumps({"testcases": [case for algorithm in KEYS for case in cases(algorithm)]}))
    assert main(file, [engine]) == 0


@pytest.mark.filterwarnings("ignore")
def test_the_docs_print_the_verdicts_of_verify():
    assert table() in DOCUMENT.read_text()
