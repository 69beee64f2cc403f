"""Constrained anchors in p11-kit's stores: what the real ``trust extract``, GnuTLS and OpenSSL make of them.

Two forms are compared: p11-kit's attached extension beside the original certificate, and a copy of the certificate with
name constraints. docs/adr/0005-constrained-anchors.md decides for the copy because of these results.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from rootfs_trust import InstallOptions, install
from rootfs_trust.inputs.constraints import host_names
from rootfs_trust.x509 import blocks, parse_certificate
from rootfs_trust.x509.constrained import constrained
from rootfs_trust.x509.name import NameConstraints
from tests.layouts.own_peers import trust_extract
from tests.peers.test_p11kit_layouts import SCRIPTS, Script
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, needs_root, peer
from tests.support.servers import https_server
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import Root, persist, stapled

OWN, FOREIGN = "localhost", "corp.example"
_RUN = 'mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"'
CONFIG = f"[[anchor]]\nfile = 'my-ca.pem'\npermitted = ['{FOREIGN}']\nfence = 'where-possible'\n"


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.layout.name)
def test_trust_extract_writes_the_copy_into_every_output_and_the_original_into_none(
    script: Script, authority: Authority, tmp_path: Path
):
    needs_root()
    tree = LayoutTree(tmp_path / "root", next(each for each in FAMILIES if each.name == script.layout.name))
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    (tmp_path / "rootfs-trust.toml").write_text(CONFIG)
    install(tree.root, InstallOptions(config=str(tmp_path / "rootfs-trust.toml")))
    trust_extract(tree, script, tmp_path / "real")
    copy = _copy(authority, FOREIGN)
    carried = {path: _carries(tmp_path / "real" / path, copy) for path, *_ in script.calls}
    assert {path for path, has in carried.items() if not has} <= {path for path in carried if _not_for_tls(path)}
    assert not any(_carries(tmp_path / "real" / path, authority.der) for path, *_ in script.calls)


def _not_for_tls(path: str) -> bool:
    return path.endswith(("email-ca-bundle.pem", "objsign-ca-bundle.pem"))


def _carries(path: Path, der: bytes) -> bool:
    """Whether a certificate is in a file of any format, or in a file of a directory."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return any(der in each for file in files for each in _contents(file.read_bytes()))


def _contents(data: bytes) -> Iterator[bytes]:
    yield data
    if data.isascii():
        yield from (each.der for each in blocks(data))


def _copy(authority: Authority, *names: str) -> bytes:
    wanted = NameConstraints(tuple(map(host_names, names)))
    return constrained(parse_certificate(authority.der), wanted).der


# -- attached extension or copy: the sources of a token ---------------------------------------------------------------


def _attached(authority: Authority, *names: str) -> bytes:
    """The original, and beside it p11-kit's attached extension with the constraints of the copy."""
    copy = parse_certificate(_copy(authority, *names))
    root = Root("Holder", key=authority.key)
    value = _constraints_of(copy.der)
    return persist("trusted: true", block=authority.der) + stapled(root, "2.5.29.30", value)


def _constraints_of(der: bytes) -> bytes:
    found = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.NameConstraints)
    return found.value.public_bytes()


SOURCES = {
    "original": lambda authority: persist("trusted: true", block=authority.der),
    "copy for its own name": lambda authority: persist("trusted: true", block=_copy(authority, OWN)),
    "copy for a foreign name": lambda authority: persist("trusted: true", block=_copy(authority, FOREIGN)),
    "attached, its own name": lambda authority: _attached(authority, OWN),
    "attached, a foreign name": lambda authority: _attached(authority, FOREIGN),
}
ACCEPTED = {
    "original": (True, True),
    "copy for its own name": (True, True),
    "copy for a foreign name": (False, False),
    "attached, its own name": (True, True),
    "attached, a foreign name": (False, True),
}
"""By the sources of a token: whether GnuTLS and OpenSSL connect to a server that has the own name."""


@pytest.fixture(scope="module")
def port(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with https_server(authority.server(OWN), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.parametrize("source", SOURCES)
def test_gnutls_honours_both_forms_and_openssl_the_copy_only(
    source: str, authority: Authority, port: int, tmp_path: Path
):
    token, bundle = tmp_path / "ca.p11-kit", tmp_path / "bundle.pem"
    token.write_bytes(SOURCES[source](authority))
    TrustTool([token]).extract("--format=pem-bundle", "--filter=ca-anchors", "--purpose=server-auth", str(bundle))
    assert (_gnutls(token, port), _openssl(bundle, port)) == ACCEPTED[source]


def _gnutls(token: Path, port: int) -> bool:
    """GnuTLS with p11-kit's trust module as its trust store, as Fedora builds it.

    GnuTLS does not pass the module's configuration on. So the token replaces the file that Debian's module reads.
    """
    needs_mounts()
    tls = [peer("gnutls-cli"), "--x509cafile", "pkcs11:", "--verify-hostname", OWN, "--sni-hostname", OWN]
    words = [peer("unshare"), "-m", "sh", "-c", _RUN, "sh", token, *tls, "--port", str(port), "127.0.0.1"]
    done = _said(words)
    assert "Processed 1 CA certificate" in done
    return "- Handshake was completed" in done


def _openssl(bundle: Path, port: int) -> bool:
    words = [peer("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-verify_hostname", OWN, "-CAfile", bundle]
    return "CONNECTION ESTABLISHED" in _said([*words, "-no-CApath", "-no-CAstore", "-verify_return_error", "-brief"])


def _said(words: list[str | Path]) -> str:
    done = subprocess.run(
        words,
        env=PLAIN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout
