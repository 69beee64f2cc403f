"""Real root filesystems of Debian, made once by Debian's own tools and kept in pytest's cache as tar files.

``pytest --cache-clear`` makes them again. They need root and the package archive.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.debian_tree import contents
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer, unavailable

SUITE = "bookworm"
STORE = "etc/ssl/certs"
LOCAL = "usr/local/share/ca-certificates"
SHIPPED = "usr/share/ca-certificates"
CONF = "etc/ca-certificates.conf"
HASH_LINK = re.compile(r"[0-9a-f]{8}\.r?[0-9]+")

_AMD64_PACKAGES = "ca-certificates,openssl,curl,mosquitto"
_NEVER_READ = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/zoneinfo",
    "usr/share/lintian",
    "usr/share/bash-completion",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/lib/dpkg/info",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/perl-base",
)
"""Most of a tree: left out of the cache, so that a copy for each test costs little."""

_FEW = tuple(f"mozilla/{name}" for name in ("Certum", "GlobalSign", "ISRG", "NetLock", "QuoVadis"))
_OWN = ("etc", "opt", "tmp", "usr/local", "usr/share/ca-certificates")


class RealTree:
    """A copy of a real root filesystem, the test's own to change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program of the tree in the tree, with nothing of this machine's environment."""
        return subprocess.run(
            [peer("chroot"), self.path, *words],
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    def update_ca_certificates(self, *options: str) -> str:
        return self.run("update-ca-certificates", *options).stdout

    def store(self) -> dict[str, object]:
        """Every entry of the hash directory: mode, and link text or bytes."""
        return contents(self.path / STORE)

    def hash_links(self) -> dict[str, str]:
        links = [entry for entry in (self.path / STORE).iterdir() if HASH_LINK.fullmatch(entry.name)]
        return {entry.name: os.readlink(entry) for entry in links}

    def shipped(self) -> list[Path]:
        """The certificates that the distribution ships, in byte order of their names."""
        return sorted((self.path / SHIPPED).rglob("*.crt"), key=os.fsencode)

    def write(self, name: str, content: bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file


class ForeignTree(RealTree):
    """A tree of another architecture: its programs run one by one, under qemu's user mode."""

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        qemu = "/usr/bin/qemu-aarch64-static"
        if not (self.path / qemu[1:]).exists():
            shutil.copy(peer("qemu-aarch64-static"), self.path / qemu[1:])
        return super().run(qemu, *words, check=check)


AnyTree = TypeVar("AnyTree", bound=RealTree)


def _cached(cache: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The file ``name`` of the cache, made by the first process that wants it while the others wait."""
    tar = cache / name
    with open(cache / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tar.exists():
            unfinished = cache / f"unfinished-{name}"
            unfinished.unlink(missing_ok=True)
            make(unfinished)
            unfinished.rename(tar)
    return tar


def _make_arm64(tar: Path) -> None:
    """Packages unpacked and never configured: no maintainer script of a foreign architecture can run."""
    _make(
        "mmdebstrap",
        "--mode=root",
        "--architectures=arm64",
        "--variant=extract",
        "--format=tar",
        "--include=ca-certificates,openssl",
        SUITE,
        str(tar),
    )


def _make_amd64(tar: Path) -> None:
    directory = tar.with_suffix(".folder")
    try:
        _make("debootstrap", "--arch=amd64", "--variant=minbase", f"--include={_AMD64_PACKAGES}", SUITE, str(directory))
        for each in _NEVER_READ:
            shutil.rmtree(directory / each, ignore_errors=True)
        _make("tar", "--numeric-owner", "-C", str(directory), "-cf", str(tar), ".")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _make(program: str, *arguments: str) -> None:
    # The caller's environment stays: it may say how the package archive is reached.
    done = subprocess.run([peer(program), *arguments], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        unavailable(f"{program} made no tree: {(done.stderr or done.stdout).strip()[-500:]}")


@pytest.fixture(scope="session")
def tree_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs_root()
    cache = getattr(request.config, "cache", None)
    return cache.mkdir("rootfs-trust-trees") if cache else tmp_path_factory.mktemp("trees")


@pytest.fixture(scope="session")
def arm64_tar(tree_cache: Path) -> Path:
    return _cached(tree_cache, f"{SUITE}-arm64.tar", _make_arm64)


@pytest.fixture(scope="session")
def amd64_tar(tree_cache: Path) -> Path:
    if os.uname().machine != "x86_64":
        unavailable("programs of an amd64 tree run on amd64 only")
    return _cached(tree_cache, f"{SUITE}-amd64.tar", _make_amd64)


@pytest.fixture(scope="session")
def arm64_base(arm64_tar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from _unpacked(arm64_tar, tmp_path_factory.mktemp("base") / "arm64")


@pytest.fixture(scope="session")
def amd64_base(amd64_tar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from _unpacked(amd64_tar, tmp_path_factory.mktemp("base") / "amd64")


@pytest.fixture(scope="session")
def small_base(amd64_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The amd64 tree with a few of its shipped CAs only: Debian's tool then takes a tenth of the time."""
    directory = tmp_path_factory.mktemp("base") / "small"
    tree = RealTree(directory)
    _copy(amd64_base, directory)
    names = [name for name in (directory / CONF).read_text().splitlines() if name.startswith(_FEW)]
    tree.write(CONF, "".join(f"{name}\n" for name in names).encode())
    for file in tree.shipped():
        if str(file.relative_to(directory / SHIPPED)) not in names:
            file.unlink()
    tree.update_ca_certificates("--fresh")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def new_small_tree(small_base: Path, tmp_path: Path) -> Iterator[Callable[..., RealTree]]:
    """As new_amd64_tree, with a few of the shipped CAs only."""
    yield from _copies(small_base, tmp_path, RealTree)


@pytest.fixture
def new_arm64_tree(arm64_base: Path, tmp_path: Path) -> Iterator[Callable[..., ForeignTree]]:
    """Gives as many trees as a test asks for, fresh or ``like`` another; they are gone after it."""
    yield from _copies(arm64_base, tmp_path, ForeignTree)


@pytest.fixture
def new_amd64_tree(amd64_base: Path, tmp_path: Path) -> Iterator[Callable[..., RealTree]]:
    """Gives as many trees as a test asks for, fresh or ``like`` another; they are gone after it."""
    yield from _copies(amd64_base, tmp_path, RealTree)


@pytest.fixture
def arm64_tree(new_arm64_tree: Callable[..., ForeignTree]) -> ForeignTree:
    """A fresh arm64 tree, its packages unpacked and never configured."""
    return new_arm64_tree()


@pytest.fixture
def amd64_tree(new_amd64_tree: Callable[..., RealTree]) -> RealTree:
    """A fresh amd64 tree, configured by its own maintainer scripts, to be entered with chroot."""
    return new_amd64_tree()


def _unpacked(tar: Path, directory: Path) -> Iterator[Path]:
    directory.mkdir()
    subprocess.run(["tar", "--numeric-owner", "-xpf", tar, "-C", directory], check=True, timeout=120)
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def _copies(base: Path, tmp_path: Path, kind: type[AnyTree]) -> Iterator[Callable[..., AnyTree]]:
    made: list[Path] = []

    def copy(like: AnyTree | None = None) -> AnyTree:
        path = tmp_path / f"tree-{len(made)}"
        made.append(path)
        _copy(like.path if like else base, path)
        return kind(path)

    yield copy
    for path in made:
        shutil.rmtree(path)


def _copy(source: Path, path: Path) -> None:
    """What nothing writes is shared by hard links, which costs a tenth; the rest is the copy's own."""
    subprocess.run(["cp", "-al", source, path], check=True, timeout=120)
    for name in _OWN:
        if (source / name).is_dir():
            shutil.rmtree(path / name)
            subprocess.run(["cp", "-a", source / name, path / name], check=True, timeout=120)
