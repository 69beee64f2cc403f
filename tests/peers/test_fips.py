"""On a FIPS build host OpenSSL refuses MD5 and SHA-1; a subject hash does not use them for security."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import Authority, pkcs7_der
from tests.support.command import install
from tests.support.debian_tree import DebianTree, contents
from tests.support.fips import fips_host  # noqa: F401
from tests.support.peers import PLAIN_ENVIRONMENT


@pytest.mark.parametrize("form", ["PEM", "PKCS#7"])
def test_a_fips_host_gets_the_same_tree(tmp_path: Path, fips_host: dict[str, str], authority: Authority, form: str):  # noqa: F811
    file = tmp_path / "my-ca.crt"
    file.write_bytes(authority.pem if form == "PEM" else pkcs7_der(authority))
    elsewhere, here = DebianTree(tmp_path / "elsewhere"), DebianTree(tmp_path / "here")
    for tree, environment in ((elsewhere, PLAIN_ENVIRONMENT), (here, fips_host)):
        install(tree.root, "--cert", file, "--cloud", "c8y", environment=environment)
    assert len(list((here.path / "etc/ssl/certs").glob("*.0"))) == 4
    assert contents(here.path) == contents(elsewhere.path)
