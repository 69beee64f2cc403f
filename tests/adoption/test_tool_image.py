"""The image of the tool: built twice by its script, run as its user, and used as docs/ci.md prints it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.command import REPOSITORY
from tests.support.container_bases import PYTHON, buildah, python_base  # noqa: F401
from tests.support.docs_blocks import blocks
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.support.trees import amd64_tar, tree_cache  # noqa: F401

pytestmark = pytest.mark.slow
IMAGE = "localhost/rootfs-trust"
DOCKERFILES = [block.text for block in blocks("docs/ci.md") if block.language == "dockerfile"]


@pytest.fixture(scope="module")
def tool_image(buildah):  # noqa: F811
    """The image's digest after each of two builds."""
    path = f"{os.path.dirname(sys.executable)}:{PLAIN_ENVIRONMENT['PATH']}"
    environment = {**os.environ, **buildah.environment, "PATH": path, "SOURCE_DATE_EPOCH": "1700000000"}
    digests = []
    for _ in range(2):
        script = ["sh", REPOSITORY / "recipes/tool-image/build.sh"]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        digests.append(buildah.inspect(IMAGE)["FromImageDigest"])
    return digests


def test_the_image_is_reproducible_and_runs_as_no_root_user(tool_image, buildah):  # noqa: F811
    assert len(set(tool_image)) == 1
    assert buildah.inspect(IMAGE)["OCIv1"]["config"]["User"] == "65532:65532"
    done = buildah.run(IMAGE, "rootfs-trust", "--version")
    assert (done.returncode, done.stdout) == (0, "rootfs-trust, version 0.1.0\n"), done.stderr


@pytest.mark.parametrize("text", DOCKERFILES, ids=["stage", "copy"])
def test_a_dockerfile_of_the_page(tool_image, buildah, authority, tmp_path, text):  # noqa: F811
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    (tmp_path / "Dockerfile").write_text(text.replace("debian:12-slim", PYTHON))
    buildah("build", "--pull-never", "-t", "localhost/used", tmp_path)
    with buildah.files("localhost/used") as files:
        assert authority.pem in (files / "etc/ssl/certs/ca-certificates.crt").read_bytes()
        assert not (files / "opt/rootfs-trust").exists()
