"""Look-alikes of the base images that the recipes name; no registry of images is needed.

Debian's is real but for its Python, which is Debian's. The others have what tells them and what their trust store is
made of as those images have it, and as their one program Debian's OpenSSL with its libraries.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.buildah import Buildah
from tests.support.trees import SUITE, RealTree, _cached, _make, _unpacked

PYTHON, ALPINE, DISTROLESS = "docker.io/library/python:3.13-slim", "docker.io/library/alpine:3.22", "distroless:nonroot"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CERTIFI = "usr/local/lib/python3.13/site-packages/pip/_vendor/certifi/cacert.pem"
"""A copy of certifi inside pip, which the real image has."""
SOMEBODY = "65532:65532"
"""The user of distroless's nonroot images."""


def _make_python3(tar: Path) -> None:
    options = ("--mode=root", "--architectures=amd64", "--variant=extract", "--format=tar", "--include=python3")
    _make("mmdebstrap", *options, SUITE, str(tar))


@pytest.fixture(scope="session")
def python_base(amd64_tar: Path, tree_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tree of a Debian with Python, OpenSSL, curl and ca-certificates."""
    tar = _cached(tree_cache, f"{SUITE}-python3.tar", _make_python3)
    for base in _unpacked(amd64_tar, tmp_path_factory.mktemp("base") / "python"):
        # Debian's /bin and /lib are links to directories below /usr, which the packages' own entries must not replace.
        unpack = ["tar", "--numeric-owner", "--keep-directory-symlink", "-xpf", tar, "-C", base]
        subprocess.run(unpack, check=True, timeout=120)
        base.chmod(0o755)
        RealTree(base).write(CERTIFI, Authority("Public Root").pem)
        yield base


@pytest.fixture(scope="session")
def buildah(python_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """A store with the look-alikes, gone after the session."""
    directory = tmp_path_factory.mktemp("buildah")
    buildah = Buildah(directory)
    buildah.make_image(PYTHON, python_base, "--arch=amd64", "--cmd=python3")
    alpine = small_alpine(directory / "alpine")
    add_openssl(alpine, python_base)
    buildah.make_image(ALPINE, alpine, "--arch=amd64", "--cmd=/bin/sh")
    distroless = small_distroless(directory / "distroless")
    add_openssl(distroless, python_base)
    buildah.make_image(DISTROLESS, distroless, "--arch=amd64", f"--user={SOMEBODY}", f"--env=SSL_CERT_FILE={BUNDLE}")
    yield buildah
    shutil.rmtree(directory)


def small_alpine(path: Path) -> Path:
    """Alpine as its image is: the package ca-certificates-bundle, and none that would make hash links."""
    tree = RealTree(path)
    tree.write("etc/os-release", b"ID=alpine\nVERSION_ID=3.22.0\n")
    tree.write("etc/alpine-release", b"3.22.0\n")
    tree.write("lib/apk/db/installed", b"P:ca-certificates-bundle\nV:20250619-r0\n")
    tree.write(BUNDLE[1:], Authority("Public Root").pem)
    (path / "etc/ssl/cert.pem").symlink_to("certs/ca-certificates.crt")
    (path / "usr/local/share").mkdir(parents=True)
    # OpenSSL of Alpine looks in /etc/ssl, Debian's in /usr/lib/ssl.
    (path / "usr/lib").mkdir()
    (path / "usr/lib/ssl").symlink_to("/etc/ssl")
    return path


def small_distroless(path: Path) -> Path:
    tree = RealTree(path)
    tree.write("etc/os-release", b'PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\n')
    tree.write("etc/passwd", b"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/\n")
    tree.write("var/lib/dpkg/status.d/base", b"Package: base-files\n")
    tree.write(BUNDLE[1:], Authority("Public Root").pem)
    return path


def add_openssl(tree: Path, source: Path) -> None:
    """OpenSSL's program from the Debian tree ``source``, with the libraries that it loads, at the same paths."""
    listed = RealTree(source).run("ldd", "/usr/bin/openssl").stdout.split()
    for path in ("/usr/bin/openssl", *(word for word in listed if word.startswith("/"))):
        (tree / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy((source / path[1:]).resolve(), tree / path[1:])
