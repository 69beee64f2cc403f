"""The corpus of certificates with OpenSSL's own answers, unpacked once a session."""

from __future__ import annotations

import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.unpacking import unpack

ARCHIVE = Path(__file__).resolve().parents[3] / "shared" / "corpus.tar.xz"


@dataclass(frozen=True)
class Corpus:
    directory: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        """One for each file: its path, and what the real tools say of it."""
        return [json.loads(line) for line in (self.directory / "golden.jsonl").read_text().splitlines()]

    def data(self, path: str) -> bytes:
        return (self.directory / path).read_bytes()


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    if not ARCHIVE.exists():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"{ARCHIVE} is not there")
    directory = tmp_path_factory.mktemp("corpus")
    with tarfile.open(ARCHIVE) as archive:
        unpack(archive, directory)
    (root,) = directory.iterdir()
    return Corpus(root)
