"""The corpus on a FIPS host: every name, hash and fingerprint is the same as elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.corpus.conftest import Corpus
from tests.support.fips import fips_host  # noqa: F401
from tests.support.peers import PLAIN_ENVIRONMENT

_ANSWERS = """\
import sys
from pathlib import Path
from rootfs_trust import x509
from rootfs_trust.errors import MalformedError

def binary(data):
    for parse in (x509.parse_certificate, x509.parse_crl):
        try:
            yield parse(data, trailing=True)
        except MalformedError:
            pass

for path in sorted(Path(sys.argv[1]).rglob("*")):
    if path.is_file():
        data = path.read_bytes()
        objects = x509.read_objects(data)
        found = [each for _, each in (*objects.certificates, *objects.crls)] + list(binary(data))
        names = [each.subject if isinstance(each, x509.Certificate) else each.issuer for each in found]
        print(path.name, [each.sha256 for each in found], [(name.hash, name.hash_old) for name in names])
"""


def answers(directory: Path, environment: dict[str, str]) -> list[str]:
    command = [sys.executable, "-c", _ANSWERS, str(directory)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return run.stdout.splitlines()


def test_the_answers_are_those_of_any_host(corpus: Corpus, fips_host: dict[str, str]) -> None:  # noqa: F811
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    here = answers(corpus.directory / "files", {**PLAIN_ENVIRONMENT, **path})
    there = answers(corpus.directory / "files", {**fips_host, **path})
    assert sum("('" in line for line in here) > 1000
    assert there == here
