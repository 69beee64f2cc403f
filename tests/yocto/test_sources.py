"""The recipe of the tool builds the checkout, or a released sdist with its checksum. The kas file builds an image."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.bitbake import LAYER, BuildDirectory
from tests.support.command import REPOSITORY
from tests.support.layout_trees import LayoutTree
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.trees import LOCAL
from tests.support.web import serving

(RECIPE,) = (LAYER / "recipes-devtools/rootfs-trust").glob("*.bb")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("release")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", directory]
    subprocess.run(words, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (found,) = directory.iterdir()
    return found


@pytest.fixture
def url(sdist) -> Iterator[str]:
    peer("wget")
    with serving(sdist.parent) as server:
        yield f"{server}/{sdist.name}"


def sources(build: BuildDirectory) -> Path:
    (found,) = build.path.glob("tmp/work/rootfs-trust*/rootfs-trust-*")
    return found


def test_the_recipe_unpacks_the_checkout(build: BuildDirectory):
    done = build.run(RECIPE, "do_fetch", "do_unpack")
    assert done.status == 0, done.messages
    assert (sources(build) / "rootfs_trust/__init__.py").is_file()


def test_the_recipe_fetches_a_release(build: BuildDirectory, sdist, url):
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    build.configure(f'ROOTFS_TRUST_SDIST = "{url}"', f'ROOTFS_TRUST_SDIST_SHA256 = "{digest}"')
    done = build.run(RECIPE, "do_fetch", "do_unpack")
    assert done.status == 0, done.messages
    assert (sources(build) / "PKG-INFO").is_file() and (sources(build) / "templates").is_dir()


@pytest.mark.parametrize("digest", ["0" * 64, ""], ids=["another", "none"])
def test_a_release_with_another_checksum_is_refused(build: BuildDirectory, url, digest):
    build.configure(
        f'ROOTFS_TRUST_SDIST = "{url}"', f'ROOTFS_TRUST_SDIST_SHA256 = "{digest}"', 'BB_STRICT_CHECKSUM = "1"'
    )
    done = build.run(RECIPE, "do_fetch")
    assert done.status == 1
    assert any("hecksum" in text for text in done.of_level("ERROR", "CRITICAL", "WARNING")), done.messages


KAS = LAYER / "kas/qemux86-64.yml"


def test_the_lines_of_the_kas_file_install_the_certificate(build: BuildDirectory, yocto_tree: LayoutTree, authority):
    image = build.write("core-image-minimal.bb", "inherit image\n")
    (build.path.parent / "my-ca.pem").write_bytes(authority.pem)
    (lines,) = yaml.safe_load(KAS.read_text())["local_conf_header"].values()
    build.configure(lines, f'IMAGE_ROOTFS = "{yocto_tree.path}"')
    done = build.run(image, "do_rootfs")
    assert done.status == 0, done.messages
    assert (yocto_tree.path / LOCAL / "my-ca.crt").read_bytes() == authority.pem


@pytest.mark.slow
def test_kas_itself_makes_the_build_directory(tmp_path):
    """With small repositories in place of OpenEmbedded's, which are large and elsewhere."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([tmp_path / "venv/bin/pip", "install", "-q", "kas"], check=True, timeout=300)
    mine = tmp_path / "rootfs-trust"
    copied = shutil.ignore_patterns(".*", "build", "__pycache__")
    shutil.copytree(REPOSITORY / "recipes", mine / "recipes", ignore=copied)
    described = yaml.safe_load(KAS.read_text())["repos"]
    others = {name: tmp_path / "upstream" / name for name in described if name != "rootfs-trust"}
    (others["openembedded-core"] / "meta/conf").mkdir(parents=True)
    (others["openembedded-core"] / "oe-init-build-env").write_text("mkdir -p $1/conf\nexport BUILDDIR=$PWD/$1\n")
    (others["bitbake"] / "bin").mkdir(parents=True)
    replaced = {name: {"url": str(path)} for name, path in others.items()}
    (mine / "local.yml").write_text(yaml.safe_dump({"header": {"version": 14}, "repos": replaced}))
    environment = {**PLAIN_ENVIRONMENT, "HOME": str(tmp_path)}
    for path, branch in ((mine, "main"), *((path, described[name]["branch"]) for name, path in others.items())):
        (path / "file").write_text("content")
        script = f"git init -q -b {branch} && git add -A && git -c user.name=x -c user.email=x@x commit -qm x"
        subprocess.run(["sh", "-ec", script], cwd=path, env=environment, check=True)
    files = f"rootfs-trust/{KAS.relative_to(REPOSITORY)}:rootfs-trust/local.yml"
    words = [tmp_path / "venv/bin/kas", "checkout", files]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    layers = (tmp_path / "build/conf/bblayers.conf").read_text()
    assert "rootfs-trust/recipes/meta-rootfs-trust" in layers and "openembedded-core/meta" in layers
    assert (
        'ROOTFS_TRUST_CERTS:pn-core-image-minimal = "${TOPDIR}/../my-ca.pem"'
        in (tmp_path / "build/conf/local.conf").read_text()
    )
