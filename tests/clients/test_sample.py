"""A few random trees; ``python -m tests.clients`` tries any number."""

from __future__ import annotations

import os

import pytest

from tests.clients.judges import Gnutls, Go, Java, P11Kit, Rustls
from tests.clients.property import Counts, Judges, one
from tests.clients.trees import Bases
from tests.support.peers import unavailable


@pytest.mark.slow
def test_list_says_what_the_real_clients_trust(tmp_path):
    if os.geteuid() != 0:
        unavailable("only root may chroot")
    counts, judges = Counts(), Judges(Gnutls(), Go(tmp_path), Rustls(tmp_path), Java(), P11Kit(tmp_path))
    bases = Bases(tmp_path / "bases")
    for seed in range(15):
        (tmp_path / f"{seed}").mkdir()
        one(seed, tmp_path / f"{seed}", bases, judges, counts)
    assert counts.trees == 15
    assert counts.removed > 0
