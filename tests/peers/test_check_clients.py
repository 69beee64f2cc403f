"""Where ``check`` says error, the real client refuses a server of the installed CA; after the fix it connects.

The clients are this machine's, with the trust store of the tree in the place of this machine's. That each of them
connects before the damage shows that it is the damage that counts.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rootfs_trust import InstallOptions, check, install
from rootfs_trust.audit.findings import Finding
from tests.e2e.judges import Built
from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.overlay import run_over
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable
from tests.support.servers import https_server

CERTS = "etc/ssl/certs"
BUNDLE, JAVA, CERTIFI = (
    f"{CERTS}/ca-certificates.crt",
    f"{CERTS}/java/cacerts",
    "opt/app/venv/lib/python3.11/site-packages/pip/_vendor/certifi/cacert.pem",
)


class World(NamedTuple):
    tree: DebianTree
    port: int
    built: Built
    spare: Path
    """A copy of the tree before the damage, for fixes by hand."""

    def answers(self, *words: object, **variables: str) -> bool:
        done = run_over(self.tree.path, *map(str, words), environment=PLAIN_ENVIRONMENT | variables)
        return "hello" in done.stdout

    def restore(self, name: str) -> None:
        shutil.copy(self.spare / name, self.tree.path / name)


def curl(world: World) -> bool:
    return world.answers(peer("curl"), "-qsS", "--noproxy", "*", f"https://localhost:{world.port}/")


def go(world: World) -> bool:
    return world.answers(world.built.go(), "system", world.port)


def openssl(world: World) -> bool:
    server = ("-connect", f"127.0.0.1:{world.port}", "-verify_hostname", "localhost", "-verify_return_error", "-quiet")
    words = (peer("openssl"), "s_client", *server, "-CApath", f"/{CERTS}", "-no-CAfile", "-no-CAstore")
    done = run_over(world.tree.path, *words, stdin="GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    return "hello" in done.stdout


def java(world: World) -> bool:
    return world.answers(peer("java"), "-XX:TieredStopAtLevel=1", "-cp", world.built.java(), "Ask", world.port)


def requests(world: World) -> bool:
    """pip's copy of requests, with the certifi beside it."""
    site = world.tree.path / CERTIFI.partition("/pip/")[0]
    program = f"import sys; sys.path.insert(0, {str(site)!r}); from pip._vendor import requests; "
    program += f"print(requests.get('https://localhost:{world.port}/').text)"
    return world.answers(sys.executable, "-S", "-c", program)


def delete(*names: str) -> Callable[[World], None]:
    return lambda world: [(world.tree.path / name).unlink() for name in names] and None


def empty(name: str) -> Callable[[World], None]:
    return lambda world: (world.tree.path / name).write_bytes(b"") and None


def nothing_left(world: World) -> None:
    """Only Java's keystore, as where somebody has cleaned up."""
    for path in (world.tree.path / CERTS).iterdir():
        if path.name != "java":
            path.unlink()


def no_hash_links(world: World) -> None:
    for path in (world.tree.path / CERTS).iterdir():
        if path.is_symlink() and path.suffix[1:].isdigit():
            path.unlink()


def no_entry(world: World) -> None:
    """A keystore as keytool leaves it when the last entry is deleted."""
    store = world.tree.path / JAVA
    words = [peer("keytool"), "-keystore", store, "-storepass", "changeit"]
    listed = subprocess.run([*words, "-list"], env=PLAIN_ENVIRONMENT, capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        if "trustedCertEntry" in line:
            alias = line.partition(",")[0]
            subprocess.run([*words, "-delete", "-alias", alias], env=PLAIN_ENVIRONMENT, check=True)


def by_a_command(world: World) -> None:
    """The command that the finding prints is enough."""


def keystore_again(world: World) -> None:
    (world.tree.path / JAVA).parent.mkdir(exist_ok=True)
    world.restore(JAVA)


def certifi_again(world: World) -> None:
    """The package of the application, and the anchors into it."""
    world.restore(CERTIFI)


DAMAGES = {
    "curl, no bundle": (curl, delete(BUNDLE), "output-missing", by_a_command),
    "curl, an empty bundle": (curl, empty(BUNDLE), "bundle-empty", by_a_command),
    "Go, an empty directory": (go, nothing_left, "output-missing", by_a_command),
    "OpenSSL's directory without hash links": (openssl, no_hash_links, "no-hash-links", by_a_command),
    "Java, no entry": (java, no_entry, "java-store-empty", by_a_command),
    "Java, no keystore": (java, delete(JAVA), "jdk-store-missing", keystore_again),
    "requests, an empty certifi": (requests, empty(CERTIFI), "application-store-empty", certifi_again),
}


@pytest.fixture
def world(debian: DebianTree, tmp_path: Path, tree_cache: Path) -> Iterator[World]:
    ca = Authority("Private CA")
    (tmp_path / "private-ca.pem").write_bytes(ca.pem)
    for program in ("usr/bin/curl", "usr/bin/python3"):
        debian.write(program, b"")
    (debian.path / "usr/lib/jvm/jdk/lib/security").mkdir(parents=True)
    (debian.path / "usr/lib/jvm/jdk/lib/security/cacerts").symlink_to(f"/{JAVA}")
    keystore(debian.path / JAVA, tmp_path / "private-ca.pem")
    _copy_of_pip(debian.path / CERTIFI.partition("/pip/")[0])
    install(debian.root, InstallOptions(certs=[str(tmp_path / "private-ca.pem")], runtimes=["certifi"]))
    shutil.copytree(debian.path, tmp_path / "spare", symlinks=True)
    with https_server(ca.server("localhost"), tmp_path) as port:
        yield World(debian, port, Built(tree_cache), tmp_path / "spare")


def keystore(path: Path, certificate: Path) -> None:
    path.parent.mkdir(parents=True)
    words = [peer("keytool"), "-importcert", "-noprompt", "-alias", "first", "-file", certificate, "-storetype", "JKS"]
    words += ["-keystore", path, "-storepass", "changeit"]
    subprocess.run(words, env=PLAIN_ENVIRONMENT, capture_output=True, timeout=120, check=True)


def _copy_of_pip(site: Path) -> None:
    try:
        import pip
    except ModuleNotFoundError:
        unavailable("pip is not installed")
    shutil.copytree(Path(pip.__file__).parent, site / "pip", ignore=shutil.ignore_patterns("__pycache__"))


def errors_of(world: World) -> list[Finding]:
    return [each for each in check(world.tree.root) if each.level == "error"]


@pytest.mark.slow
@pytest.mark.parametrize(("client", "damage", "id_", "by_hand"), DAMAGES.values(), ids=DAMAGES)
def test_the_client_refuses_where_check_says_error_and_connects_after_the_fix(world, client, damage, id_, by_hand):
    assert client(world)
    before = {each.id for each in errors_of(world)}  # pip's certifi may hold a root with a later incident
    damage(world)
    errors = {each.id: each for each in errors_of(world)}
    assert id_ in errors
    assert not client(world)
    command = errors[id_].command
    assert bool(command) is (by_hand is by_a_command)
    if command:
        _, name, *words = shlex.split(command)
        rootfs_trust(name, *words)
    else:
        by_hand(world)
    assert {each.id for each in errors_of(world)} == before
    assert client(world)


@pytest.mark.slow
def test_an_application_with_a_certifi_of_its_own_refuses_until_the_anchor_is_in_it(world):
    """A warning: the application may have been given another bundle."""
    import pip

    shutil.copy(Path(pip.__file__).parent / "_vendor/certifi/cacert.pem", world.tree.path / CERTIFI)
    found = [each for each in check(world.tree.root) if each.id == "certifi-store"]
    assert [each.path for each in found] == [f"/{CERTIFI}"]
    assert not requests(world)
    install(world.tree.root, InstallOptions(runtimes=["certifi"]))
    assert not [each for each in check(world.tree.root) if each.id == "certifi-store"]
    assert requests(world)
