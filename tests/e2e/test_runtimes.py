"""``--runtimes`` against the real runtimes: each refuses a local server before, and accepts it after.

The programs are this machine's; the stores that they read are those of a root filesystem of the test.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rootfs_trust import InstallOptions, install, remove
from tests.e2e.runtime_trial import version
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable
from tests.support.servers import https_server

ASK = Path(__file__).parent / "clients" / "java" / "Ask.java"
SITE = "opt/app/lib/python3.11/site-packages"
JKS, PKCS12 = "opt/jdk8/jre/lib/security/cacerts", "opt/jdk21/lib/security/cacerts"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
NODE_FILE = "usr/share/rootfs-trust/node-extra-ca-certs.pem"

pytestmark = pytest.mark.slow


class World:
    """A root filesystem with the stores of runtimes, and a server whose CA is not in any of them."""

    def __init__(self, tree: DebianTree, ca: Path, port: int) -> None:
        self.tree, self.ca, self.url, self.port = tree, ca, f"https://localhost:{port}/", port

    def path(self, name: str) -> Path:
        return self.tree.path / name

    def accepts(self, *words: object, **variables: object) -> bool:
        return self._run(*words, **variables).returncode == 0

    def said(self, *words: object, **variables: object) -> str:
        done = self._run(*words, **variables)
        return done.stdout + done.stderr

    def _run(self, *words: object, **variables: object) -> subprocess.CompletedProcess[str]:
        environment = PLAIN_ENVIRONMENT | {name: str(value) for name, value in variables.items()}
        return subprocess.run(
            list(map(str, words)), env=environment, capture_output=True, text=True, timeout=120, check=False
        )


def _java(store: str) -> Callable[[World], bool]:
    def judge(world: World) -> bool:
        trust = f"-Djavax.net.ssl.trustStore={world.path(store)}"
        return world.accepts(peer("java"), trust, "-XX:TieredStopAtLevel=1", ASK, world.port)

    return judge


def _requests(world: World) -> bool:
    """pip's copy of requests, with the certifi beside it."""
    program = f"import sys; sys.path.insert(0, {str(world.path(SITE))!r}); from pip._vendor import certifi, requests; "
    program += f"assert certifi.where().startswith({str(world.tree.path)!r}); requests.get({world.url!r})"
    return world.accepts(sys.executable, "-S", "-c", program)


def _node(world: World) -> bool:
    file = world.path(NODE_FILE)
    variables = {"NODE_EXTRA_CA_CERTS": file} if file.exists() else {}
    program = f"require('https').get({world.url!r}, () => process.exit(0)).on('error', () => process.exit(1))"
    return world.accepts(peer("node"), "-e", program, **variables)


def _curl(world: World) -> bool:
    return world.accepts(peer("curl"), "-sf", world.url, CURL_CA_BUNDLE=world.path(BUNDLE))


def _git(world: World) -> bool:
    """git asks for a repository, which the server does not have: it refuses that, and no longer the certificate."""
    variables = {"GIT_SSL_CAINFO": world.path(BUNDLE), "GIT_TERMINAL_PROMPT": 0}
    return "certificate" not in world.said(peer("git"), "ls-remote", world.url, **variables)


def _chromium(world: World) -> bool:
    """Headless Chromium opens the page. It reads the managed policies of the tree, mounted over this machine's."""
    profile = world.ca.parent / f"profile-{len(list(world.ca.parent.iterdir()))}"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={profile}")
    run = 'mount --bind "$1" /etc/chromium && shift && exec "$@"'
    over = (peer("unshare"), "-m", "sh", "-c", run, "sh", world.path("etc/chromium"))
    return "hello" in world.said(*over, peer("chromium"), *options, "--dump-dom", world.url, HOME=profile)


JUDGES = {
    "Java, JKS": _java(JKS),
    "Java, PKCS #12 without a password": _java(PKCS12),
    "requests and certifi": _requests,
    "Node.js": _node,
    "curl": _curl,
    "git": _git,
    "Chromium": _chromium,
}


def _tried() -> list[str]:
    """The programs with their versions, for the table of docs/runtimes.md."""
    java, pip = version("java", "-version"), version(sys.executable, "-m", "pip", "--version")
    return [
        f"java: Java {java} with JKS",
        f"java: Java {java} with PKCS #12 without a password",
        f"certifi: requests in pip {pip}",
        f"node: Node.js {version('node', '--version')}",
        f"environment: curl {version('curl', '--version')} with `CURL_CA_BUNDLE`",
        f"environment: git {version('git', '--version')} with `GIT_SSL_CAINFO`",
        f"chromium: Chromium {version('chromium', '--version')}",
    ]


@pytest.fixture
def world(debian: DebianTree, tmp_path: Path) -> Iterator[World]:
    ca = Authority("Private CA")
    (tmp_path / "private-ca.pem").write_bytes(ca.pem)
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("Other CA").pem)
    for store, options in ((JKS, ("-storetype", "JKS")), (PKCS12, ("-storetype", "PKCS12"))):
        _keystore(debian.path / store, other, *options)
    _copy_of_pip(debian.path / SITE)
    for program in ("usr/local/bin/node", "usr/bin/git", "usr/bin/curl", "usr/bin/chromium"):
        debian.write(program, b"")
    debian.write("etc/chromium/master_preferences", b"{}")
    (debian.path / "etc/chromium/policies/managed").mkdir(parents=True)
    install(debian.root)
    with https_server(ca.server("localhost"), tmp_path) as port:
        yield World(debian, tmp_path / "private-ca.pem", port)


def _keystore(path: Path, certificate: Path, *options: str) -> None:
    path.parent.mkdir(parents=True)
    plain = [f"-J-Dkeystore.pkcs12.{name}=NONE" for name in ("certProtectionAlgorithm", "macAlgorithm")]
    words = [peer("keytool"), *plain, "-importcert", "-noprompt", "-alias", "other", "-file", certificate]
    words += ["-keystore", path, "-storepass", "changeit", *options]
    subprocess.run(words, env=PLAIN_ENVIRONMENT, capture_output=True, timeout=120, check=True)


def _copy_of_pip(site: Path) -> None:
    try:
        import pip
    except ModuleNotFoundError:
        unavailable("pip is not installed")
    shutil.copytree(Path(pip.__file__).parent, site / "pip", ignore=shutil.ignore_patterns("__pycache__"))


def test_every_runtime_accepts_the_server_after_install_and_not_after_remove(world, record_property):
    options = InstallOptions(certs=[str(world.ca)], runtimes=("auto",), timestamp=1_700_000_000)
    before = {name: judge(world) for name, judge in JUDGES.items()}
    stores = contents(world.path("opt"))
    install(world.tree.root, options)
    after = {name: judge(world) for name, judge in JUDGES.items()}
    assert not install(world.tree.root, options).changed
    remove(world.tree.root, ["private-ca"])
    assert before == dict.fromkeys(JUDGES, False)
    assert after == dict.fromkeys(JUDGES, True)
    assert {name: judge(world) for name, judge in JUDGES.items()} == before
    assert contents(world.path("opt")) == stores, "the runtimes' own stores are what they were, byte for byte"
    for each in _tried():
        record_property("tried", each)
