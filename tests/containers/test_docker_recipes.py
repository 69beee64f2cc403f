"""Each Dockerfile of recipes/docker, built by the commands that docs/containers.md and its own head print.

A program of the built image then reaches a server of the private CA, which it does not from the base.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.buildah import Buildah
from tests.support.command import REPOSITORY
from tests.support.container_bases import (
    ALPINE,
    BUNDLE,
    CERTIFI,
    DISTROLESS,
    PYTHON,
    SOMEBODY,
    add_openssl,
    small_alpine,
)
from tests.support.docs_blocks import scripts
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer
from tests.support.servers import https_server
from tests.support.trees import ForeignTree

pytestmark = pytest.mark.slow

IMAGE = "localhost/my-app"
RECIPES = ("debian", "alpine", "distroless", "scratch")
COMMANDS = [script.strip() for script, _ in scripts("docs/containers.md")]
TOOL, *BUILDS = COMMANDS
REPRODUCIBLE = "--timestamp 1700000000 --build-arg SOURCE_DATE_EPOCH=1700000000"
READ_ONLY = """
root=$1 user=$2; shift 2
mount --bind "$root" "$root" && mount -o remount,ro,bind "$root" && exec chroot --userspec="$user" "$root" "$@"
"""


class Workplace:
    """The directory in which the page's commands run, with the environment that their user has."""

    def __init__(self, path: Path, buildah: Buildah) -> None:
        self.path = path
        self.buildah = buildah
        self._environment = {**buildah.environment, "BASE": DISTROLESS}

    def build(self, command: str) -> None:
        """Run a command of the page; the image it makes is IMAGE."""
        done = self.try_to_build(command)
        assert done.returncode == 0, done.stderr

    def try_to_build(self, command: str) -> subprocess.CompletedProcess[str]:
        return self.sh(command, self._environment)

    def sh(self, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-eu", "-c", command],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="session")
def workplace(
    tmp_path_factory: pytest.TempPathFactory, buildah: Buildah, authority: Authority, python_base: Path
) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("workplace"), buildah)
    (place.path / "my-ca.pem").write_bytes(authority.pem)
    (place.path / "rootfs-trust").symlink_to(REPOSITORY)
    add_openssl(place.path / "app", python_base)
    # How packages are reached is this machine's affair; the builds get nothing of its environment.
    path = f"{os.path.dirname(sys.executable)}:{PLAIN_ENVIRONMENT['PATH']}"
    done = place.sh(TOOL, {**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def port(authority: Authority, tmp_path: Path) -> Iterator[int]:
    with https_server(authority.server("localhost"), tmp_path) as port:
        yield port


def command_of(recipe: str) -> str:
    """The plain command of a recipe, as its own head prints it."""
    head = (REPOSITORY / f"recipes/docker/{recipe}.Dockerfile").read_text()
    printed = re.findall(r"^#   (.*)$", head, re.MULTILINE)
    assert printed[0] == TOOL
    (command,) = printed[1:]
    assert command in BUILDS
    return command


def openssl(port: int) -> tuple[str, ...]:
    options = ("-verify_return_error", "-verify_hostname", "localhost", "-brief")
    return ("openssl", "s_client", *options, "-connect", f"127.0.0.1:{port}")


def curl(port: int) -> tuple[str, ...]:
    return ("curl", "--silent", "--show-error", "--noproxy", "*", f"https://localhost:{port}/")


def python(port: int) -> tuple[str, ...]:
    return ("python3", "-c", f"import urllib.request as r; print(r.urlopen('https://localhost:{port}/').read())")


def user_of(buildah: Buildah, image: str) -> str:
    """Empty is root, too."""
    return buildah.inspect(image)["OCIv1"]["config"].get("User") or "root"


@pytest.mark.parametrize(
    ("recipe", "base", "programs"),
    [("debian", PYTHON, (curl, python)), ("alpine", ALPINE, (openssl,)), ("distroless", DISTROLESS, (openssl,))],
)
def test_programs_of_the_image_reach_the_server(workplace, buildah, port, recipe, base, programs):
    for program in programs:
        refused = buildah.run(base, *program(port))
        assert refused.returncode != 0 and "certificate" in (refused.stdout + refused.stderr).lower()
    workplace.build(command_of(recipe))
    assert user_of(buildah, IMAGE) == user_of(buildah, base)
    for program in programs:
        reached = buildah.run(IMAGE, *program(port))
        assert reached.returncode == 0, reached.stderr


def test_a_program_from_scratch_reaches_it_on_a_read_only_root(workplace, buildah, port):
    needs_mounts()
    workplace.build(command_of("scratch"))
    assert user_of(buildah, IMAGE) == SOMEBODY
    with buildah.files(IMAGE) as files:
        words = ("-m", "sh", "-c", READ_ONLY, "sh", str(files), SOMEBODY, *openssl(port))
        reached = subprocess.run(
            [peer("unshare"), *words],
            env={**PLAIN_ENVIRONMENT, "SSL_CERT_FILE": BUNDLE},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert reached.returncode == 0, reached.stderr


def test_an_image_for_another_processor_is_built_without_running_it(workplace, buildah, arm64_base, port):
    buildah.make_image("localhost/arm64", arm64_base, "--arch=arm64")
    (command,) = [command for command in BUILDS if "--platform" in command]
    workplace.build(command.replace(" -t", " --build-arg BASE=localhost/arm64 -t"))
    assert buildah.inspect(IMAGE)["OCIv1"]["architecture"] == "arm64"
    with buildah.files(IMAGE) as files:
        program, *options = openssl(port)
        reached = ForeignTree(files).run(f"/usr/bin/{program}", *options, check=False)
    assert reached.returncode == 0, reached.stderr


@pytest.mark.parametrize("recipe", RECIPES)
def test_two_builds_have_one_digest(workplace, buildah, recipe):
    (example,) = [command for command in BUILDS if REPRODUCIBLE in command]
    assert example == command_of("alpine").replace(" -t", f" {REPRODUCIBLE} -t")
    digests = set()
    for _ in range(2):
        workplace.build(command_of(recipe).replace(" -t", f" --no-cache {REPRODUCIBLE} -t"))
        digests.add(buildah.inspect(IMAGE)["FromImageDigest"])
    assert len(digests) == 1


def test_the_image_gets_the_store_and_the_user_that_is_said_and_nothing_else(workplace, buildah):
    (command,) = [command for command in BUILDS if "RUN_AS" in command]
    workplace.build(command)
    assert user_of(buildah, IMAGE) == "www-data"
    with buildah.files(PYTHON) as before, buildah.files(IMAGE) as after:
        new = entries(after) - entries(before)
    store = {path for path in new if path.startswith("etc/ssl/certs/")}
    assert "etc/ssl/certs/my-ca.pem" in store
    # etc/hosts is the builder's own; the variables are for runtimes (docs/runtimes.md).
    variables = {path for path in new if path.startswith(("etc/profile.d", "etc/systemd"))}
    assert new - store - variables - {"etc/hosts"} == {"usr/local/share/ca-certificates/my-ca.crt"}


def test_the_copy_of_certifi_inside_pip_gets_the_certificate(workplace, buildah, authority):
    workplace.build(command_of("debian"))
    with buildah.files(IMAGE) as files:
        assert authority.pem in (files / CERTIFI).read_bytes()


def test_a_finding_fails_the_build(workplace, buildah, tmp_path):
    spoilt = small_alpine(tmp_path / "spoilt")
    (spoilt / "etc/ssl/certs/dead.pem").symlink_to("/nowhere/dead.crt")
    buildah.make_image("localhost/spoilt", spoilt, "--arch=amd64")
    failed = workplace.try_to_build(command_of("alpine").replace(" -t", " --build-arg BASE=localhost/spoilt -t"))
    assert failed.returncode != 0
    assert "/etc/ssl/certs/dead.pem" in failed.stdout


def entries(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*")}
