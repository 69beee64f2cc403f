"""A FIPS-like host: OpenSSL's default properties are ``fips=yes``, so that it refuses MD5 and SHA-1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.peers import PLAIN_ENVIRONMENT, unavailable

_OPENSSL_CNF = """\
openssl_conf = openssl_init
[openssl_init]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
"""

_PROOF = """\
import hashlib
for function in (hashlib.md5, hashlib.sha1):
    try:
        function()
    except ValueError:
        continue
    raise SystemExit(f"{function} is not refused")
"""


@pytest.fixture
def fips_host(tmp_path: Path) -> dict[str, str]:
    """An environment in which Python's OpenSSL refuses MD5 and SHA-1, as this very Python shows."""
    conf = tmp_path / "openssl.cnf"
    conf.write_text(_OPENSSL_CNF)
    environment = {**PLAIN_ENVIRONMENT, "OPENSSL_CONF": str(conf)}
    proof = subprocess.run([sys.executable, "-c", _PROOF], env=environment, capture_output=True, text=True, check=False)
    if proof.returncode != 0:
        unavailable(f"this Python takes no notice of OPENSSL_CONF: {proof.stderr.strip()}")
    return environment
