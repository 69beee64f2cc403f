"""On a FIPS build host OpenSSL refuses MD5 and SHA-1; a subject hash is no use of them for security."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.authority import Authority, pkcs7_der
from tests.support.command import install
from tests.support.debian_tree import DebianTree, contents
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


@pytest.mark.parametrize("form", ["PEM", "PKCS#7"])
def test_a_fips_host_gets_the_same_tree(tmp_path: Path, fips_host: dict[str, str], authority: Authority, form: str):
    file = tmp_path / "my-ca.crt"
    file.write_bytes(authority.pem if form == "PEM" else pkcs7_der(authority))
    elsewhere, here = DebianTree(tmp_path / "elsewhere"), DebianTree(tmp_path / "here")
    for tree, environment in ((elsewhere, PLAIN_ENVIRONMENT), (here, fips_host)):
        install(tree.root, "--cert", file, "--cloud", "c8y", environment=environment)
    assert len(list((here.path / "etc/ssl/certs").glob("*.0"))) == 4
    assert contents(here.path) == contents(elsewhere.path)
