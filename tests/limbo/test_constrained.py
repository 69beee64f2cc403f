"""Constrained anchors with each kind of key: the TLS libraries say what `verify` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.limbo.agreement import main
from tests.limbo.constrained import KEYS, cases
from tests.limbo.real import REAL


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", REAL)
def test_real_clients_hold_a_constrained_anchor_to_its_names_as_verify_says(engine: str, tmp_path: Path):
    file = tmp_path / "constrained.json"
    file.write_text(json.dumps({"testcases": [case for algorithm in KEYS for case in cases(algorithm)]}))
    assert main(file, [engine]) == 0
