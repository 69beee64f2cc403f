"""``--runtimes`` against versions of real runtimes from package registries, unpacked below /opt of a root filesystem.

Each refuses a local server before, and after an installation without ``--runtimes``; it accepts the server after one
with it, and refuses it after ``remove``. ``check`` and ``verify`` foretell each of these.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.judges import Built
from tests.e2e.registry_runtimes import (
    AWS_CLI,
    AWS_CLI_WHEELS,
    BOTOCORE,
    BOTOCORE_WHEELS,
    PIP,
    REQUESTS,
    REQUESTS_WHEELS,
    add_jdk,
    add_node,
    add_wheels,
)
from tests.e2e.runtime_trial import EXPECTED, Runtime, World, trial

pytest.importorskip("OpenSSL")
pytestmark = pytest.mark.slow

SITE, JDK, NODE = "opt/app/lib/python3.11/site-packages", "opt/jdk", "opt/node"


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


@pytest.mark.parametrize("name", RUNTIMES)
def test_it_accepts_the_server_after_install_and_not_after_remove(
    name: str, world: World, built: Built, tree_cache: Path, record_property: Callable[[str, str], None]
):
    record_property("tried", f"{RUNTIMES[name].client}: {name}")
    assert trial(RUNTIMES[name], world, built, tree_cache) == EXPECTED
