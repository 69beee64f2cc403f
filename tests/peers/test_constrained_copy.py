"""The constrained copy of a CA, read by programs that print certificates, and made by another process."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from rootfs_trust.inputs.constraints import host_names
from rootfs_trust.x509 import encode, parse_certificate
from rootfs_trust.x509.constrained import constrained
from rootfs_trust.x509.name import NameConstraints
from tests.limbo.constrained import KEYS, authority
from tests.support.command import install
from tests.support.debian_tree import DebianTree, contents
from tests.support.peers import PLAIN_ENVIRONMENT, peer

GO_READER = Path(__file__).parent / "go_reader"
_GO = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GO111MODULE": "on", "GOWORK": "off"}
NAMES = NameConstraints((host_names("corp.example"), host_names("10.0.0.0/8")), (host_names("x.corp.example"),))


@pytest.fixture(params=KEYS)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """The certificate of a CA, and its copy."""
    original = parse_certificate(authority(request.param).public_bytes(Encoding.DER))
    copy = constrained(original, NAMES)
    for name, each in (("original", original), ("copy", copy)):
        (tmp_path / f"{name}.pem").write_bytes(encode(each.der))
        (tmp_path / f"{name}.der").write_bytes(each.der)
    return tmp_path / "original.pem", tmp_path / "copy.pem"


def read(*words: str | Path, **environment: str) -> str:
    done = subprocess.run(
        words, env=PLAIN_ENVIRONMENT | environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "warning" not in done.stdout.lower()
    return done.stdout


@pytest.mark.parametrize("style", ["-subject_hash", "-subject_hash_old", "-serial", "-pubkey", "-dates"])
def test_openssl_sees_the_same_hash_serial_number_key_and_dates(files, style):
    original, copy = (read(peer("openssl"), "x509", "-noout", style, "-in", each) for each in files)
    assert original == copy


def test_openssl_prints_it(files):
    text = read(peer("openssl"), "x509", "-noout", "-text", "-in", files[1])
    assert "X509v3 Name Constraints: critical" in text
    assert "DNS:corp.example" in text
    assert "IP:10.0.0.0/255.0.0.0" in text


def test_certtool_prints_it(files):
    text = read(peer("certtool"), "-i", "--infile", files[1])
    assert "Name Constraints (critical)" in text
    assert "DNSname: corp.example" in text


def test_keytool_prints_it(files):
    text = read(peer("keytool"), "-printcert", "-file", files[1])
    assert "NameConstraints: [" in text
    assert "DNSName: corp.example" in text


@pytest.fixture(scope="module")
def go_reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("go")
    environment = _GO | {"GOCACHE": str(directory / "cache"), "HOME": str(directory)}
    read(peer("go"), "build", "-C", GO_READER, "-o", directory / "reader", ".", **environment)
    return directory / "reader"


@pytest.mark.slow
def test_go_reads_it(files, go_reader):
    assert read(go_reader, files[1].with_suffix(".der")).splitlines() == [
        "critical true",
        "permitted [corp.example] [10.0.0.0/8]",
        "excluded [x.corp.example] [::/0]",
        "unhandled []",
    ]


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "2", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}],
)
def test_another_process_writes_the_same_store(files, tmp_path, environment: Mapping[str, str]):
    names = ("--permit", "corp.example", "--permit", "10.0.0.0/8")
    trees = [DebianTree(tmp_path / name) for name in ("here", "there")]
    for tree, more in zip(trees, ({}, environment), strict=True):
        install(tree.path, "--cert", files[0], *names, environment=PLAIN_ENVIRONMENT | more)
    assert contents(trees[0].path) == contents(trees[1].path)
