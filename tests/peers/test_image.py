"""What the tools of containers make of our images, and the layer that buildah itself commits for the same change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.buildah import Buildah
from tests.support.command import rootfs_trust
from tests.support.debian_tree import contents
from tests.support.docs_blocks import SampleDirectory, scripts
from tests.support.images import LayoutDirectory, entries
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer
from tests.support.trees import RealTree

pytestmark = pytest.mark.slow

ANCHOR = "usr/local/share/ca-certificates/my-ca.crt"


def run(program: str, *words: object) -> str:
    environment = {**PLAIN_ENVIRONMENT, "HOME": "/nonexistent", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    done = subprocess.run(
        [peer(program), *map(str, words)], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    directory = tmp_path_factory.mktemp("buildah")
    yield Buildah(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def base(buildah: Buildah, small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> LayoutDirectory:
    """A Debian image, as buildah makes it."""
    path = tmp_path_factory.mktemp("images") / "base"
    buildah.make_image("localhost/debian", small_base, "--arch=amd64", "--cmd=/bin/sh")
    with buildah.container("localhost/debian") as container:
        buildah.layout(container, path)
    return LayoutDirectory(path)


@pytest.fixture(scope="module")
def ca(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "my-ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture(scope="module")
def result(base: LayoutDirectory, ca: Path, tmp_path_factory: pytest.TempPathFactory) -> LayoutDirectory:
    """The image with the CA."""
    dest = tmp_path_factory.mktemp("result") / "app"
    image(base.path, dest, "--cert", ca)
    return LayoutDirectory(dest)


def image(source: Path, dest: Path, *words: object) -> str:
    done = rootfs_trust("image", source, dest, "--format", "json", *map(str, words))
    assert done.returncode == 0, done.stderr.decode()
    return str(json.loads(done.stdout)["digest"])


def test_skopeo_inspects_and_copies_it(result: LayoutDirectory, tmp_path: Path):
    shown = json.loads(run("skopeo", "inspect", f"oci:{result.path}:1"))
    assert shown["Digest"] == result.manifests[0]["digest"] and shown["Architecture"] == "amd64"
    assert len(shown["Layers"]) == len(result.manifest()["layers"])
    run("skopeo", "copy", "-q", f"oci:{result.path}:1", f"oci:{tmp_path}/copy:1")
    assert LayoutDirectory(tmp_path / "copy").manifests[0]["digest"] == shown["Digest"]


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive"])
def test_archives_of_skopeo_become_archives_for_skopeo(base: LayoutDirectory, ca: Path, tmp_path: Path, form: str):
    source, dest = tmp_path / "base.tar", tmp_path / "app.tar"
    run("skopeo", "copy", "-q", f"oci:{base.path}:1", f"{form}:{source}:app:1")
    image(source, dest, "--cert", ca)
    before, after = (json.loads(run("skopeo", "inspect", f"{form}:{path}:app:1")) for path in (source, dest))
    assert len(after["Layers"]) == len(before["Layers"]) + 1
    run("skopeo", "copy", "-q", f"{form}:{dest}:app:1", f"oci:{tmp_path}/copy:1")
    assert ANCHOR in entries(LayoutDirectory(tmp_path / "copy").top_layer())


def test_umoci_unpacks_what_installing_on_the_disk_would_give(
    base: LayoutDirectory, result: LayoutDirectory, ca: Path, tmp_path: Path
):
    for layout, name in ((base, "before"), (result, "after")):
        run("umoci", "unpack", "--image", f"{layout.path}:1", tmp_path / name)
    try:
        before, after = (RealTree(tmp_path / name / "rootfs") for name in ("before", "after"))
        done = rootfs_trust("install", "--root", before.path, "--cert", ca)
        assert done.returncode == 0
        for directory in ("etc", "usr/local", "usr/share/ca-certificates"):
            assert contents(before.path / directory) == contents(after.path / directory)
        assert "0 added, 0 removed" in after.update_ca_certificates()
    finally:
        shutil.rmtree(tmp_path / "before")
        shutil.rmtree(tmp_path / "after")


def test_a_program_inside_trusts_the_ca(
    buildah: Buildah, result: LayoutDirectory, authority: Authority, tmp_path: Path
):
    (tmp_path / "server.pem").write_bytes(authority.server("server.example").pem)
    with buildah.container(f"oci:{result.path}:1") as container:
        buildah("copy", "--quiet", container, tmp_path / "server.pem", "/tmp/server.pem")
        assert buildah("run", container, "--", "openssl", "verify", "/tmp/server.pem").stdout == "/tmp/server.pem: OK\n"


def test_the_layer_is_what_buildah_commits_for_the_same_change(
    buildah: Buildah, base: LayoutDirectory, result: LayoutDirectory, ca: Path, tmp_path: Path
):
    with buildah.container(f"oci:{base.path}:1") as container:
        buildah("copy", "--quiet", container, ca, f"/{ANCHOR}")
        buildah("run", container, "--", "chmod", "0644", f"/{ANCHOR}")
        buildah("run", container, "--", "update-ca-certificates")
        buildah.layout(container, tmp_path / "theirs")
    theirs = entries(LayoutDirectory(tmp_path / "theirs").top_layer())
    assert _without_traces(theirs) == entries(result.top_layer())


def test_removed_files_are_removed_as_buildah_commits_it(buildah: Buildah, result: LayoutDirectory, tmp_path: Path):
    image(result.path, tmp_path / "ours", "--without", "my-ca")
    with buildah.container(f"oci:{result.path}:1") as container:
        buildah("run", container, "--", "rm", f"/{ANCHOR}")
        buildah("run", container, "--", "update-ca-certificates", "--fresh")
        buildah.layout(container, tmp_path / "theirs")
    theirs = entries(LayoutDirectory(tmp_path / "theirs").top_layer())
    ours = entries(LayoutDirectory(tmp_path / "ours").top_layer())
    # --fresh makes every link anew, and each is in buildah's layer: those that changed are in ours.
    assert _whiteouts(theirs) == _whiteouts(ours) != set()
    assert {name: theirs.get(name) for name in ours} == ours


def test_the_commands_of_the_documentation_work(tmp_path: Path):
    for program in ("skopeo", "umoci"):
        peer(program)
    needs_root()
    directory = SampleDirectory(tmp_path)
    found = scripts("docs/images.md")
    assert len(found) >= 3
    for script, promised in found:
        done = directory.run(script)
        assert done.returncode == 0, done.stderr
        assert promised is None or done.stdout == promised


def _without_traces(layer: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """Without what running a program in a container leaves beside its work: empty mount points, a touched /tmp."""
    traces = ("etc/hosts", "etc/hostname", "etc/resolv.conf")
    kept = {name: entry for name, entry in layer.items() if name.partition("/")[0] in ("etc", "usr")}
    return {name: entry for name, entry in kept.items() if name not in traces}


def _whiteouts(layer: dict[str, tuple[object, ...]]) -> set[str]:
    return {name for name in layer if "/.wh." in name}
