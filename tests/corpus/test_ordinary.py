"""The short way through certificates, tried on those of the corpus, as they are and with octets changed."""

from __future__ import annotations

import random

from rootfs_trust.x509 import BadBlock, blocks
from tests.property.test_ordinary import agree, mutated

from .conftest import Corpus


def test_it_gives_what_the_exact_reader_gives(corpus: Corpus, capsys) -> None:
    chance = random.Random(2)
    through, ders = 0, certificates(corpus)
    for der in ders:
        through += agree(der)
        for _ in range(30):
            agree(mutated(der, chance))
    with capsys.disabled():
        print(f"\nordinary: {through} of {len(ders)} certificates of the corpus")
    assert through > len(ders) / 3


def certificates(corpus: Corpus) -> list[bytes]:
    """All that may be a certificate, each once, without the very large ones."""
    found: dict[bytes, None] = {}
    for record in corpus.records:
        data = corpus.data(record["path"])
        found |= dict.fromkeys([data] if data[:1] == b"\x30" else [])
        found |= {block.der: None for block in blocks(data) if not isinstance(block, BadBlock)}
    return [der for der in found if len(der) < 10_000]
