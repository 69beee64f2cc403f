"""Constrained anchors on loopback: real clients connect or refuse as ``verify`` says and as the docs print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.constrained_loopback import answers
from tests.e2e.constrained_trees import CELLS, DOCUMENT, document
from tests.e2e.judges import Built

pytest.importorskip("OpenSSL")


def test_the_docs_print_the_verdicts_of_verify():
    assert DOCUMENT.read_text() == document(), "run: python -m tests.e2e.constrained_trees"


@pytest.mark.slow
def test_every_client_connects_or_refuses_as_verify_says(tmp_path: Path, built: Built):
    found = answers(tmp_path, built)
    assert [(names, server) for names, server, *_ in found] == CELLS
    wrong = [
        f"{client}, {names}, {server}: connected {said[client]}, verify {foretold[client]}: {printed[client]}"
        for names, server, said, foretold, printed in found
        for client in said
        if said[client] != foretold[client]
    ]
    assert not wrong, "\n".join(wrong)
