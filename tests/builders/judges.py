"""Programs of a built image that ask a server of the private CA."""

from __future__ import annotations

import subprocess

from tests.support.trees import RealTree

_OPENSSL = ("openssl", "s_client", "-verify_return_error", "-verify_hostname", "localhost", "-brief", "-connect")


def by_curl(tree: RealTree, port: int) -> bool:
    words = ("curl", "--silent", "--max-time", "20", "--noproxy", "*", f"https://localhost:{port}/")
    return tree.run(*words, check=False).stdout == "hello"


def by_openssl(tree: RealTree, port: int) -> bool:
    """Whether the handshake succeeds; what s_client says of a refusal is looked at, too."""
    done: subprocess.CompletedProcess[str] = tree.run(*_OPENSSL, f"127.0.0.1:{port}", check=False)
    assert (done.returncode == 0) is ("Verification: OK" in done.stderr), done.stderr
    return done.returncode == 0
