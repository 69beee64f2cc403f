"""The curl of the device reaches a server of the private CA once the CA is installed, and not before."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.authority import Authority
from tests.support.command import install
from tests.support.servers import https_server
from tests.support.trees import STORE, RealTree

CERTIFICATE_NOT_TRUSTED = 60


def test_curl_reaches_the_server_after_install_and_not_before(
    amd64_tree: RealTree, authority: Authority, other_authority: Authority, tmp_path: Path
):
    ca_file = tmp_path / "my-ca.pem"
    ca_file.write_bytes(authority.pem)
    amd64_tree.write("tmp/other.pem", other_authority.pem)
    directory_alone = ("--cacert", "/tmp/other.pem", "--capath", f"/{STORE}")
    with (
        https_server(authority.server("localhost"), tmp_path) as port,
        https_server(other_authority.server("localhost"), tmp_path) as port_of_a_stranger,
    ):
        refused = _curl(amd64_tree, port)
        assert refused.returncode == CERTIFICATE_NOT_TRUSTED, refused.stderr
        assert _curl(amd64_tree, port, *directory_alone).returncode == CERTIFICATE_NOT_TRUSTED
        install(amd64_tree.path, "--cert", ca_file)
        assert _curl(amd64_tree, port).stdout == "hello"
        assert _curl(amd64_tree, port, *directory_alone).stdout == "hello"
        assert _curl(amd64_tree, port_of_a_stranger).returncode == CERTIFICATE_NOT_TRUSTED


def _curl(tree: RealTree, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    words = ("curl", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", *options)
    return tree.run(*words, f"https://localhost:{port}/", check=False)
