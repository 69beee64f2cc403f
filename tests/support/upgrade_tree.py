"""Bookworm as released, whole enough for dpkg and debconf, and the newer ca-certificates of its security archive.

Kept in pytest's cache like the other real trees: a tar of the tree, and the one package. The newer package comes
with the machine's apt-get, from separate lists, so that what the machine has installed does not matter.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.peers import unavailable
from tests.support.trees import SUITE, RealTree, _cached, _make, _unpacked

OLD_VERSION = "20230311+deb12u1"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_NEVER_READ = (
    "usr/share/locale",
    "usr/share/zoneinfo",
    "usr/share/lintian",
    "usr/share/bash-completion",
    "usr/lib/x86_64-linux-gnu/gconv",
    "var/cache/apt",
    "var/lib/apt/lists",
)
_OWN = ("etc", "opt", "tmp", "usr/local", "usr/share/ca-certificates", "var")
"""What the tools and maintainer scripts write in place; all else dpkg replaces by renaming."""


class UpgradableTree(RealTree):
    """A copy of the released tree, with the newer package in its /tmp."""

    def dpkg(self, *words: str) -> str:
        done = self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words, check=False)
        assert done.returncode == 0 or words[0] == "--verify", done.stdout + done.stderr
        return done.stdout

    def upgrade(self) -> str:
        """Install the newer package over the older one, as apt would, with its maintainer scripts."""
        said = self.dpkg("-i", "/tmp/newer.deb")
        assert f"over ({OLD_VERSION})" in said
        return said

    def verify(self) -> list[str]:
        """Every difference that dpkg sees between the package's files and the tree."""
        return self.dpkg("--verify", "ca-certificates").splitlines()


def _archive(suite: str) -> str:
    """The address from which this machine's apt takes ``suite``."""
    words = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    return found.get(suite) or unavailable(f"this machine's apt has no {suite}")


def _make_released(tar: Path) -> None:
    directory = tar.with_suffix(".folder")
    try:
        sources = f"deb {_archive(SUITE)} {SUITE} main"
        include = "--include=ca-certificates,openssl"
        whole = tar.with_suffix(".whole.tar")
        options = ("--mode=root", "--architectures=amd64", "--variant=minbase", "--format=tar", include)
        _make("mmdebstrap", *options, SUITE, str(whole), sources)
        directory.mkdir()
        _make("tar", "--numeric-owner", "-C", str(directory), "-xpf", str(whole))
        whole.unlink()
        for each in _NEVER_READ:
            shutil.rmtree(directory / each, ignore_errors=True)
        _make("tar", "--numeric-owner", "-C", str(directory), "-cf", str(tar), ".")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def download_package(file: Path, suite: str, archive: str) -> None:
    """The ca-certificates of ``suite``, from ``archive``, an address of Debian's archive."""
    directory = file.with_suffix(".folder")
    try:
        for name in ("lists/partial", "cache/archives/partial", "got"):
            (directory / name).mkdir(parents=True)
        line = f"deb [signed-by={_KEYRING} arch=amd64] {archive} {suite} main\n"
        (directory / "sources.list").write_text(line)
        (directory / "status").touch()
        settings = {
            "Dir::Etc::sourcelist": directory / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State::lists": directory / "lists",
            "Dir::State::status": directory / "status",
            "Dir::Cache": directory / "cache",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
        }
        options = [f"-o{key}={value}" for key, value in settings.items()]
        _make("apt-get", "-q", *options, "update")
        # It downloads into the directory that it runs in.
        _make("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(directory / "got"), "apt-get", "-q", *options,
              "download", "ca-certificates")  # fmt: skip
        (package,) = (directory / "got").iterdir()
        shutil.copy(package, file)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def package_of(tree_cache: Path, suite: str) -> Path:
    """The ca-certificates package of ``suite``; the archive of another release is the same as that of this one."""
    archive = _archive(suite if suite.endswith("-security") else SUITE)
    return _cached(tree_cache, f"{suite}-ca-certificates.deb", lambda file: download_package(file, suite, archive))


@pytest.fixture(scope="session")
def newer_package(tree_cache: Path) -> Path:
    return package_of(tree_cache, f"{SUITE}-security")


@pytest.fixture(scope="session")
def released_base(tree_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    tar = _cached(tree_cache, f"{SUITE}-released.tar", _make_released)
    for base in _unpacked(tar, tmp_path_factory.mktemp("base") / "released"):
        version = RealTree(base).run("dpkg-query", "-W", "-f", "${Version}", "ca-certificates").stdout
        if version != OLD_VERSION:
            unavailable(f"the released tree has ca-certificates {version}")
        yield base


@pytest.fixture
def new_released_tree(
    released_base: Path, newer_package: Path, tmp_path: Path
) -> Iterator[Callable[[], UpgradableTree]]:
    """Gives as many such trees as a test asks for; they are gone after it."""
    made: list[Path] = []

    def copy() -> UpgradableTree:
        path = tmp_path / f"released-{len(made)}"
        made.append(path)
        subprocess.run(["cp", "-al", released_base, path], check=True, timeout=120)
        for name in _OWN:
            shutil.rmtree(path / name)
            subprocess.run(["cp", "-a", released_base / name, path / name], check=True, timeout=120)
        shutil.copy(newer_package, path / "tmp/newer.deb")
        return UpgradableTree(path)

    yield copy
    for path in made:
        shutil.rmtree(path)
