"""``--runtimes`` against versions of real runtimes from package registries, unpacked below /opt of a root filesystem.

Each refuses a local server before, and after an installation without ``--runtimes``; it accepts the server after one
with it, and refuses it after ``remove``. ``check`` and ``verify`` foretell each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from rootfs_trust import CheckOptions, InstallOptions, check, install, remove, verify
from tests.e2e.judges import Built
from tests.e2e.registry_runtimes import (
    AWS_CLI,
    AWS_CLI_WHEELS,
    BOTOCORE,
    BOTOCORE_WHEELS,
    PIP,
    REQUESTS,
    REQUESTS_WHEELS,
    Asked,
    add_jdk,
    add_node,
    add_wheels,
    profile_variables,
)
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents
from tests.support.servers import https_server

pytest.importorskip("OpenSSL")
pytestmark = pytest.mark.slow

SITE, JDK, NODE = "opt/app/lib/python3.11/site-packages", "opt/jdk", "opt/node"


@dataclass(frozen=True)
class Runtime:
    """``client`` is what ``verify`` calls it, ``finding`` what ``check`` finds if it lacks the anchor."""

    unpack: Callable[[Path, Path], None]
    ask: Callable[[Asked, Built], bool]
    client: str
    finding: str


def _node(version: str) -> Runtime:
    unpack = lambda tree, cache: add_node(tree / NODE, cache, version)  # noqa: E731
    return Runtime(unpack, lambda asked, _: asked.node(f"{NODE}/bin/node"), "node", "node-store")


def _jdk(version: str) -> Runtime:
    def unpack(tree: Path, cache: Path) -> None:
        (tree / "opt").mkdir()
        add_jdk(tree / JDK, cache, version)

    return Runtime(unpack, lambda asked, built: asked.java(f"{JDK}/bin/java", built.java()), "java", "jdk-store")


def _of_certifi(program: str, *wheels: str) -> Runtime:
    """A program of Python that reads a copy of certifi's file."""
    unpack = lambda tree, cache: add_wheels(tree / SITE, cache, *wheels)  # noqa: E731
    return Runtime(unpack, lambda asked, _: asked.python(program, SITE), "certifi", "certifi-store")


RUNTIMES = {
    "Node.js 18.20": _node("18.20.8"),
    "Node.js 20.19": _node("20.19.6"),
    "Node.js 22.18": _node("22.18.0"),
    "Node.js 22.19": _node("22.19.0"),
    "Java 17 below /opt": _jdk("17.0.9.2"),
    "Java 21 below /opt": _jdk("21.0.8.2"),
    "pip 22.3": _of_certifi(PIP, "pip==22.3.1"),
    "pip 24.1": _of_certifi(PIP, "pip==24.1.2"),
    "requests 2.34": _of_certifi(REQUESTS, *REQUESTS_WHEELS),
    "botocore 1.44": _of_certifi(BOTOCORE, *BOTOCORE_WHEELS),
    "AWS CLI 1.46": _of_certifi(AWS_CLI, *AWS_CLI_WHEELS),
}


@pytest.fixture
def world(debian: DebianTree, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A root filesystem, and a server whose CA nothing in it trusts."""
    ca = Authority("Private CA")
    (tmp_path / "private-ca.pem").write_bytes(ca.pem)
    (tmp_path / "chain.pem").write_bytes(ca.server("localhost").pem)
    install(debian.root)
    with https_server(ca.server("localhost"), tmp_path) as port:
        yield SimpleNamespace(tree=debian, folder=tmp_path, port=port)


@pytest.mark.parametrize("name", RUNTIMES)
def test_it_accepts_the_server_after_install_and_not_after_remove(
    name: str, world: SimpleNamespace, built: Built, tree_cache: Path
):
    runtime, root = RUNTIMES[name], world.tree.root
    runtime.unpack(world.tree.path, tree_cache)

    def seen() -> tuple[bool, bool, bool]:
        """Whether the runtime accepts the server, what ``verify`` says, and whether ``check`` finds nothing of it."""
        chain = str(world.folder / "chain.pem")
        verdicts = verify(root, chain, hostname="localhost", clients=[runtime.client]).verdicts
        findings = {each.id for each in check(root, CheckOptions())}
        asked = Asked(world.tree.path, world.port, profile_variables(world.tree.path))
        return runtime.ask(asked, built), all(each.trusted for each in verdicts), runtime.finding not in findings

    stores = contents(world.tree.path / "opt")
    before = seen()
    certs = [str(world.folder / "private-ca.pem")]
    install(root, InstallOptions(certs=certs))
    apart = seen()
    install(root, InstallOptions(certs=certs, runtimes=("auto",)))
    after = seen()
    assert not install(root, InstallOptions(certs=certs, runtimes=("auto",))).changed
    remove(root, ["private-ca"])
    assert {"before": before, "apart": apart, "after": after, "removed": seen()} == {
        "before": (False, False, True),
        "apart": (False, False, False),
        "after": (True, True, True),
        "removed": (False, False, True),
    }
    assert contents(world.tree.path / "opt") == stores, "the runtime's own store is what it was, byte for byte"
