"""A tree full of links that lead out of it and of what nobody should open; beside it, what no run may touch."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rootfs_trust.cli.run import main
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, shipped_authority

OUTSIDE = Authority("Outside Root CA")
PLACES = (
    "etc",
    "etc/ssl",
    "etc/ssl/certs",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/ssl/certs/ca.pem",
    "etc/ssl/certs/Alpha_Root.pem",
    "etc/ssl/certs/own.pem",
    "etc/ca-certificates.conf",
    "etc/os-release",
    "etc/passwd",
    "etc/tedge",
    "etc/tedge/tedge.toml",
    "usr",
    "usr/local",
    "usr/local/share/ca-certificates",
    "usr/local/share/ca-certificates/ca.crt",
    "usr/local/share/ca-certificates/own.crt",
    "usr/share/ca-certificates",
    "usr/share/ca-certificates/mozilla",
    "usr/share/ca-certificates/mozilla/Alpha_Root.crt",
    "var/lib/dpkg",
)
KINDS = ("fifo", "socket", "device", "sparse", "directory", "bytes", "locked")
"""Other things that may exist at a path."""
ODD_NAMES = (
    *(b"new\nline.crt", b"pi|pe.pem", b"sp ace.crt", b"\xff\xfe.pem"),
    *(b"n" * 251 + b".crt", b"-rf.pem", b"...crt"),
)


class World:
    def __init__(self, directory: Path, monkeypatch) -> None:
        self.outside = directory / "outside"
        self.tree = DebianTree(directory / "in/rootfs")
        self.tree.write("etc/tedge/tedge.toml", b'[config]\nversion = "2"\n')
        (directory / "ca.pem").write_bytes(Authority("My CA").pem)
        root, ca = self.tree.root, str(directory / "ca.pem")
        self.commands = {
            "install": ["install", "--root", root, "--cert", ca, "--cloud", "c8y"],
            "remove": ["remove", "--root", root, "ca", "Alpha_Root"],
            "rehash": ["rehash", f"{root}/etc/ssl/certs"],
        }
        for place in PLACES:
            twin = self.outside / place
            twin.parent.mkdir(parents=True, exist_ok=True)
            if "." in twin.name or twin.name in ("os-release", "passwd"):
                twin.write_bytes(self.content(twin.name))
            else:
                twin.mkdir(exist_ok=True)
        self._monkeypatch = monkeypatch

    @staticmethod
    def content(name: str) -> bytes:
        return {
            "os-release": b"ID=plan9\n",
            "passwd": b"tedge:x:666:666::/:\n",
            "ca-certificates.conf": b"own.crt\n",
            "tedge.toml": b'[config]\nversion = "2"\n[canary]\nx = 1\n',
        }.get(name, OUTSIDE.pem)

    def links(self, place: str) -> list[str]:
        """Ways to write a link at ``place`` that would lead outside, if it were followed as the host does."""
        depth = place.count("/")
        twin = self.outside / place
        return [
            str(twin),
            "../" * (depth + 2) + f"outside/{place}",
            f"/../../outside/{place}",
            "../" * 40 + str(twin).lstrip("/"),
            f"/proc/self/root{twin}",
            os.path.basename(place),
            f"/{place}/x",
            "/",
            "..",
            ".",
            "",
        ]

    def put(self, place: str, text: str) -> None:
        """A link with this text in the place."""
        if path := self._freed(place):
            path.symlink_to(text or "/")

    def put_kind(self, place: str, kind: str) -> None:
        """One of :data:`KINDS` in the place."""
        if path := self._freed(place):
            getattr(self, f"_put_{kind}")(path)

    def put_odd_names(self, place: str) -> None:
        """Files of names that programs stumble over, in the directory at the place."""
        if self._is_ours(self.tree.path / place):
            for name in ODD_NAMES:
                with open(os.fsencode(self.tree.path / place) + b"/" + name, "wb") as file:
                    file.write(shipped_authority("Odd Root").pem)

    def _freed(self, place: str) -> Path | None:
        """The path of the place, nothing there any more; None where a link put before leads to it."""
        path = self.tree.path / place
        if not self._is_ours(path.parent):
            return None
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
        return path

    @staticmethod
    def _is_ours(directory: Path) -> bool:
        """A link that was put before must never be followed: it may lead to the host's own files."""
        return os.path.realpath(directory) == os.fspath(directory) and directory.is_dir()

    @staticmethod
    def _put_fifo(path: Path) -> None:
        os.mkfifo(path)

    @staticmethod
    def _put_socket(path: Path) -> None:
        os.mknod(path, stat.S_IFSOCK | 0o666)

    @staticmethod
    def _put_device(path: Path) -> None:
        """One that never ends, where the caller may make it."""
        with suppress(PermissionError):
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))

    @staticmethod
    def _put_sparse(path: Path) -> None:
        path.touch()
        os.truncate(path, 1 << 40)

    @staticmethod
    def _put_directory(path: Path) -> None:
        (path / "x").mkdir(parents=True)

    @staticmethod
    def _put_bytes(path: Path) -> None:
        path.write_bytes(bytes(range(256)))

    @staticmethod
    def _put_locked(path: Path) -> None:
        """What only root may read."""
        path.write_bytes(b"")
        path.chmod(0)

    def run(self, *words: str) -> int:
        """The exit status, of install unless told; a run that blocks or does not end is ended, and fails."""
        with self._monkeypatch.context() as patched, ended_after(20):
            patched.setattr(sys, "argv", ["rootfs-trust", *(words or self.commands["install"])])
            with pytest.raises(SystemExit) as exit_:
                main()
        return exit_.value.code or 0

    @property
    def looking(self) -> tuple[tuple[str, ...], ...]:
        """The commands that only look."""
        root = self.tree.root
        return ("list", "--root", root), ("check", "--root", root), ("diff", root, root)


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    def end(*_: object) -> None:
        raise TimeoutError(f"it took more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def watch(monkeypatch, world) -> list[str]:
    """Every path outside the tree that is opened: by a descriptor, what counts is where it leads."""
    opened: list[str] = []
    real = os.open

    def open_(path, flags, *words, **options):
        fd = real(path, flags, *words, **options)
        where = os.readlink(f"/proc/self/fd/{fd}")
        if where.startswith(str(world.outside)):
            opened.append(where)
        return fd

    monkeypatch.setattr(os, "open", open_)
    return opened
