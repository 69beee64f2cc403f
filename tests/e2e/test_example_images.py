"""The example images of docs/runtimes.md, with real runtimes, which accept a local server after the page's command."""

from __future__ import annotations

import json
import shlex
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from rootfs_trust import verify
from rootfs_trust.store.jks import keystore
from tests.e2e.judges import Built
from tests.e2e.registry_runtimes import REQUESTS, REQUESTS_WHEELS, Asked, add_jdk, add_node, add_wheels
from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.debian_tree import SHIPPED, DebianTree, shipped_authority
from tests.support.docs_blocks import scripts
from tests.support.images import LayoutDirectory, Tarball
from tests.support.inside import write_inside
from tests.support.peers import needs_root
from tests.support.servers import https_server

pytest.importorskip("OpenSSL")
pytestmark = pytest.mark.slow

COMMANDS = [script.strip() for script, _ in scripts("docs/runtimes.md") if script.startswith("rootfs-trust image ")]
DISTROLESS_JDK, TEMURIN = "usr/lib/jvm/java-17-openjdk-amd64", "opt/java/openjdk"
SITE, NODE = "opt/app/venv/lib/python3.11/site-packages", "usr/local/bin/node"
ROOTS = [shipped_authority(name) for name in SHIPPED]


@dataclass(frozen=True)
class Example:
    """``build`` makes the files of the image. ``ask`` has the judges, by what ``verify`` calls the clients."""

    build: Callable[[Path, Path], object]
    ask: dict[str, Callable[[Asked, Built], bool]]


def distroless_java(root: Path, cache: Path) -> None:
    """No shell and no package manager; the JDK's keystore is a link to the system's."""
    write_inside(root, "etc/os-release", b'PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\n')
    write_inside(root, "var/lib/dpkg/status.d/base", b"Package: base-files\nVersion: 12.4\n")
    write_inside(root, "etc/ssl/certs/ca-certificates.crt", b"".join(each.pem for each in ROOTS))
    write_inside(root, "etc/ssl/certs/java/cacerts", keystore(((each.sha256, each.der) for each in ROOTS), 0))
    (root / DISTROLESS_JDK).parent.mkdir(parents=True)
    add_jdk(root / DISTROLESS_JDK, cache, "17.0.9.2")
    (root / DISTROLESS_JDK / "lib/security/cacerts").unlink()
    (root / DISTROLESS_JDK / "lib/security/cacerts").symlink_to("/etc/ssl/certs/java/cacerts")


def temurin(root: Path, cache: Path) -> None:
    DebianTree(root)
    (root / TEMURIN).parent.mkdir(parents=True)
    add_jdk(root / TEMURIN, cache, "21.0.8.2")


def python_and_node(root: Path, cache: Path) -> None:
    DebianTree(root)
    add_wheels(root / SITE, cache, *REQUESTS_WHEELS)
    add_node(root / "usr/local", cache, "20.19.6")


EXAMPLES = {
    "distroless Java": Example(
        distroless_java, {"java": lambda asked, built: asked.java(f"{DISTROLESS_JDK}/bin/java", built.java())}
    ),
    "a JDK with its own cacerts": Example(
        temurin, {"java": lambda asked, built: asked.java(f"{TEMURIN}/bin/java", built.java())}
    ),
    "Python below /opt and Node.js": Example(
        python_and_node,
        {"certifi": lambda asked, _: asked.python(REQUESTS, SITE), "node": lambda asked, _: asked.node(NODE)},
    ),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SimpleNamespace]:
    needs_root()
    ca = Authority("Private CA")
    (tmp_path / "my-ca.pem").write_bytes(ca.pem)
    (tmp_path / "chain.pem").write_bytes(ca.server("localhost").pem)
    with https_server(ca.server("localhost"), tmp_path) as port:
        yield SimpleNamespace(directory=tmp_path, port=port, ca=ca)


def image_of(root: Path, archive: Path) -> None:
    """An OCI archive of one layer."""
    layout = LayoutDirectory(archive.with_suffix(""))
    layout.index(layout.image(Tarball().tree(root, "").end(), config={"config": {"Env": ["PATH=/usr/bin"]}}))
    with tarfile.open(archive, "w") as tar:
        tar.add(layout.path, ".")


def unpacked(archive: Path, directory: Path) -> tuple[Path, dict[str, str]]:
    """The merged files of an image, and the variables of its config."""
    with tarfile.open(archive) as tar:
        tar.extractall(directory / "layout", filter="fully_trusted")
    layout, root = LayoutDirectory(directory / "layout"), directory / "root"
    for descriptor in layout.manifest()["layers"]:
        (directory / "layer.tar").write_bytes(layout.blob(descriptor))
        with tarfile.open(directory / "layer.tar") as tar:
            tar.extractall(root, filter="fully_trusted")
            names = [Path(name) for name in tar.getnames() if Path(name).name.startswith(".wh.")]
        for name in names:
            (root / name).unlink()
            (root / name).with_name(name.name.removeprefix(".wh.")).unlink()
    for directory_of_debian in ("usr/share/ca-certificates", "usr/local/share/ca-certificates"):
        (root / directory_of_debian).mkdir(parents=True, exist_ok=True)  # run_over mounts them
    variables = dict(each.split("=", 1) for each in layout.config()["config"]["Env"])
    return root, {name: value for name, value in variables.items() if name != "PATH"}


def run(words: list[str], directory: Path) -> dict[str, object]:
    done = rootfs_trust(*words, "--format", "json", cwd=directory)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "command"), [*zip(EXAMPLES, COMMANDS, strict=True)], ids=EXAMPLES)
def test_the_image_connects_after_the_command_of_the_page(
    name: str, command: str, world: SimpleNamespace, built: Built, tree_cache: Path
):
    example, directory = EXAMPLES[name], world.directory
    example.build(directory / "root", tree_cache)
    image_of(directory / "root", directory / "app.tar")

    def seen(archive: str) -> dict[str, tuple[bool, bool]]:
        """For each client whether it accepts the server, and what ``verify`` says."""
        root, variables = unpacked(directory / archive, directory / f"of {archive}")
        asked = Asked(root, world.port, variables)
        found = verify(str(directory / archive), str(directory / "chain.pem"), hostname="localhost").verdicts
        trusted = {each.client: each.trusted for each in found}
        return {client: (ask(asked, built), trusted[client]) for client, ask in example.ask.items()}

    words = shlex.split(command)[1:]
    assert words[:3] == ["image", "app.tar", "app-trusted.tar"]
    assert run(words, directory)["changed"]
    again = ["image", "app-trusted.tar", "again.tar", *words[3:]]
    assert not run(again, directory)["changed"], "the same again changes nothing"
    run(["image", "app-trusted.tar", "removed.tar", "--without", f"sha256:{world.ca.sha256}"], directory)
    expected = {"app.tar": False, "app-trusted.tar": True, "removed.tar": False}
    for archive, accepts in expected.items():
        assert seen(archive) == dict.fromkeys(example.ask, (accepts, accepts)), archive
