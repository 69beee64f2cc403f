"""A trial of a real runtime: whether it accepts a local server, and whether ``verify`` and ``check`` foretell it."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rootfs_trust import CheckOptions, InstallOptions, check, install, remove, verify
from tests.e2e.judges import Built
from tests.e2e.registry_runtimes import Asked, profile_variables
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.servers import https_server


@dataclass(frozen=True)
class World:
    """A root filesystem, files of the test, and a server whose CA nothing in the root filesystem trusts."""

    tree: DebianTree
    directory: Path
    port: int

    @property
    def certs(self) -> list[str]:
        return [str(self.directory / "private-ca.pem")]


@contextlib.contextmanager
def world_of(tree: DebianTree, directory: Path) -> Iterator[World]:
    ca = Authority("Private CA")
    (directory / "private-ca.pem").write_bytes(ca.pem)
    (directory / "chain.pem").write_bytes(ca.server("localhost").pem)
    install(tree.root)
    with https_server(ca.server("localhost"), directory) as port:
        yield World(tree, directory, port)


@dataclass(frozen=True)
class Runtime:
    """``client`` is what ``verify`` calls it, ``finding`` what ``check`` finds if it lacks the anchor."""

    unpack: Callable[[Path, Path], None]
    ask: Callable[[Asked, Built], bool]
    client: str
    finding: str


class Seen(NamedTuple):
    """Whether the runtime accepts the server, what ``verify`` says, and whether ``check`` finds nothing of it."""

    accepts: bool
    verify: bool
    check: bool


EXPECTED = {
    "before": Seen(False, False, True),
    "apart": Seen(False, False, False),
    "after": Seen(True, True, True),
    "removed": Seen(False, False, True),
}
""""apart" is after an installation without ``--runtimes``."""


def trial(runtime: Runtime, world: World, built: Built, cache: Path) -> dict[str, Seen]:
    """Go through the states, and return what is seen in each."""
    root, runtimes = world.tree.root, InstallOptions(certs=world.certs, runtimes=("auto",), timestamp=1_700_000_000)
    runtime.unpack(world.tree.path, cache)
    stores, states = contents(world.tree.path), {"before": _seen(runtime, world, built)}
    install(root, InstallOptions(certs=world.certs))
    states["apart"] = _seen(runtime, world, built)
    twin = shutil.copytree(root, world.directory / "twin", symlinks=True)
    install(root, runtimes)
    install(str(twin), runtimes)
    assert contents(twin) == contents(world.tree.path), "the same bytes twice"
    assert not install(root, runtimes).changed
    states["after"] = _seen(runtime, world, built)
    remove(root, ["private-ca"])
    states["removed"] = _seen(runtime, world, built)
    assert _files(contents(world.tree.path)) == _files(stores), "everything is what it was, byte for byte"
    return states


def _seen(runtime: Runtime, world: World, built: Built) -> Seen:
    root, chain = world.tree.root, str(world.directory / "chain.pem")
    verdicts = verify(root, chain, hostname="localhost", clients=[runtime.client]).verdicts
    findings = {each.id for each in check(root, CheckOptions())}
    asked = Asked(world.tree.path, world.port, profile_variables(world.tree.path))
    accepts = runtime.ask(asked, built)
    return Seen(accepts, all(each.trusted for each in verdicts), runtime.finding not in findings)


def _files(found: dict[str, object]) -> dict[str, object]:
    """Without directories: ``remove`` does not delete those that ``install`` created."""
    return {name: each for name, each in found.items() if not str(each).startswith("('d")}


def version(program: str, *words: str, pattern: str = r"\d+(?:\.\d+)+") -> str:
    """The version that a program prints."""
    done = subprocess.run([peer(program), *words], env=PLAIN_ENVIRONMENT, capture_output=True, text=True, check=True)
    found = re.search(pattern, done.stdout + done.stderr)
    assert found, done
    return found.group()
