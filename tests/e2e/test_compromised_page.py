"""docs/compromised-ca.md as printed, with a stand-in incident; afterwards real clients refuse the forged servers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rootfs_trust.store.jks import keystore
from tests.e2e.judges import CLIENTS, REQUEST, Built
from tests.support.authority import Authority
from tests.support.command import program_directory, rootfs_trust
from tests.support.docs_blocks import scripts
from tests.support.layout_trees import ALPHA, BETA, FAMILIES, ODD, LayoutTree, shipped_authority
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.root_data import concerned, incident, root, table, write
from tests.support.servers import https_server

pytest.importorskip("OpenSSL")

R, S, OTHER = (shipped_authority(name) for name in (ALPHA, BETA, ODD))
LEAKED = Authority("Alpha TLS CA", issuer=R)
CROSS = Authority("Alpha TLS CA", issuer=S, key=LEAKED.key)
MINE = Authority("My CA")
FORGED = LEAKED.server("mqtt.example.com", "localhost")
GOOD = MINE.server("mqtt.example.com", "localhost")
PUBLIC = OTHER.server("mqtt.example.com", "localhost")
CERTIFI = {
    "fedora": "usr/lib/python3/site-packages/certifi/cacert.pem",
    "alpine": "opt/app/lib/python3.11/site-packages/pip/_vendor/certifi/cacert.pem",
}
JDK = "opt/jdk/lib/security/cacerts"
BY_NAME = {family.name: family for family in FAMILIES}


DEBIAN, FEDORA = "etc/ssl/certs/ca-certificates.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
BUNDLES = (f"debian/{DEBIAN}", f"alpine/{DEBIAN}", f"fedora/{FEDORA}")
COPIES = tuple(f"{name}/{path}" for name, path in CERTIFI.items())
KEYSTORES = ("debian/etc/ssl/certs/java/cacerts", f"debian/{JDK}", "fedora/etc/pki/ca-trust/extracted/java/cacerts")


@dataclass(frozen=True)
class Shown:
    """A server's chain, with its key."""

    pem: bytes
    key_pem: bytes


FORGERIES = (Shown(FORGED.pem + LEAKED.pem, FORGED.key_pem), Shown(FORGED.pem + CROSS.pem, FORGED.key_pem))
OTHERS = (Shown(GOOD.pem, GOOD.key_pem), Shown(PUBLIC.pem, PUBLIC.key_pem))


def planted(directory: Path) -> None:
    """Trees of three distributions that ship the roots, stores of runtimes that have them, and a tree without."""
    (directory / "my-ca.pem").write_bytes(MINE.pem)
    (directory / "edge.toml").write_text('[[anchor]]\nfile = "my-ca.pem"\n')
    (directory / "none.toml").write_text('[store]\nbase = "none"\n[[anchor]]\nfile = "my-ca.pem"\n')
    (directory / "images").mkdir()
    roots = (R, S, OTHER)
    for name in ("debian", "fedora", "alpine", "clean"):
        tree = LayoutTree(directory / "images" / name, BY_NAME[name if name != "clean" else "debian"])
        if name in CERTIFI:
            tree.write(CERTIFI[name], b"".join(each.pem for each in roots))
        if name == "debian":
            tree.write(JDK, keystore([(each.sha256[:8], each.der) for each in roots], 1_700_000_000))
            tree.write("opt/jdk/release", b'JAVA_VERSION="17.0.15"\n')
        config = directory / ("none.toml" if name == "clean" else "edge.toml")
        done = rootfs_trust("install", "--root", tree.path, "--config", config)
        assert done.returncode == 0, done.stderr.decode()
    concerns = (
        concerned(R, "root"),
        concerned(S, "root"),
        concerned(LEAKED, "intermediate", by="certificate"),
        concerned(CROSS, "cross-sign", by="certificate"),
    )
    write(directory / "incident.json", table(root(R), root(S), root(OTHER), incidents=(incident(*concerns),)))
    (directory / "forged.pem").write_bytes(FORGED.pem + LEAKED.pem)
    (directory / "forged-cross-signed.pem").write_bytes(FORGED.pem + CROSS.pem)
    (directory / "production.pem").write_bytes(GOOD.pem)


def stable(text: str) -> str:
    """Without what differs from run to run: days and digests."""
    return re.sub(r"sha256 [0-9a-f]{16}", "sha256 X", re.sub(r"\d{4}-\d\d-\d\d", "DAY", text))


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Path:
    """The directory in which the page was run; each printed answer is compared."""
    peer("jq")
    directory = tmp_path_factory.mktemp("incident")
    planted(directory)
    programs = program_directory(directory / "bin")
    environment = {**PLAIN_ENVIRONMENT, "PATH": f"{programs}:{PLAIN_ENVIRONMENT['PATH']}", "HOME": str(directory)}
    compared = 0
    for script, promised in scripts("docs/compromised-ca.md"):
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=directory, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        assert promised is None or stable(done.stdout) == stable(promised), script
        compared += promised is not None
    assert compared == 8
    return directory


def test_the_page_does_what_it_says(played):
    assert "TEST-2026-1" in (played / "debian.html").read_text()
    assert all((played / name).stat().st_size > 1000 for name in ("fleet.html", "debian.cdx.json"))


def openssl(_: Built, store: Path, port: int) -> list[str | Path]:
    server = ("-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-verify_hostname", "localhost")
    alone = ("-no-CApath", "-no-CAstore")
    return [peer("openssl"), "s_client", *server, "-CAfile", store, *alone, "-verify_return_error", "-quiet"]


def curl(_: Built, store: Path, port: int) -> list[str | Path]:
    words = ("-q", "--silent", "--max-time", "20", "--noproxy", "*", "--capath", "/nowhere", "--cacert", store)
    return [peer("curl"), *words, f"https://localhost:{port}/"]


def python(_: Built, store: Path, port: int) -> list[str | Path]:
    return [sys.executable, "-I", CLIENTS / "ask.py", "ssl", store, str(port)]


def go(built: Built, store: Path, port: int) -> list[str | Path]:
    return [built.go(), store, str(port)]


def java(built: Built, store: Path, port: int) -> list[str | Path]:
    return [peer("java"), f"-Djavax.net.ssl.trustStore={store}", "-cp", built.java(), "Ask", str(port)]


Client = Callable[[Built, Path, int], list[str | Path]]
STORES: dict[Client, tuple[str, ...]] = {
    openssl: BUNDLES,
    curl: BUNDLES,
    go: BUNDLES,
    python: (*BUNDLES, *COPIES),
    java: KEYSTORES,
}


@pytest.mark.slow
@pytest.mark.parametrize("client", STORES, ids=lambda each: each.__name__)
def test_real_clients_refuse_the_forged_servers_and_accept_the_others(client: Client, played, built, tmp_path):
    def connects(shown: Shown, store: Path) -> bool:
        with https_server(shown, tmp_path) as port:  # type: ignore[arg-type]
            words = list(map(str, client(built, store, port)))
            done = subprocess.run(
                words, input=REQUEST, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
            )
        return "hello" in done.stdout

    for store in STORES[client]:
        assert [connects(each, played / "before" / store) for each in FORGERIES] == [True, True], store
        assert [connects(each, played / "images" / store) for each in FORGERIES] == [False, False], store
        assert [connects(each, played / "images" / store) for each in OTHERS] == [True, True], store
