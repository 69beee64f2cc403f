"""A run with nothing to do makes no call that writes: strace is the witness."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree
from tests.support.peers import peer

WRITES = (
    "fsync,fdatasync,sync_file_range,rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,truncate,ftruncate,"
    "setxattr,lsetxattr,fsetxattr"
)


def calls(directory: Path, *words: str) -> list[str]:
    """The names of the calls of :data:`WRITES` that a run of the command makes, and of opens for writing."""
    log = directory / "strace.log"
    trace = [peer("strace"), "-f", "-qq", "-o", str(log), "-e", f"trace={WRITES},openat,creat"]
    # -B: what Python writes for itself, its compiled modules, is not what is asked about.
    run = [sys.executable, "-B", "-m", "rootfs_trust", *words]
    subprocess.run([*trace, *run], check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
    return [line.partition("(")[0] for line in lines if "openat(" not in line or "O_WRONLY" in line or "O_RDWR" in line]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "certs"
    made.mkdir()
    for number in range(3):
        (made / f"{number}.pem").write_bytes(Authority(f"CA {number}").pem)
    return made


def test_rehash(tmp_path: Path, directory: Path) -> None:
    first = calls(tmp_path, "rehash", str(directory))
    assert first.count("symlinkat") + first.count("symlink") == 3
    assert "fsync" in first
    assert calls(tmp_path, "rehash", str(directory)) == []


def test_install(tmp_path: Path, authority: Authority) -> None:
    tree = DebianTree(tmp_path / "rootfs")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("install", "--root", tree.root, "--cert", str(tmp_path / "ca.pem"), "--cloud", "c8y")
    assert {"fsync", "openat"} <= set(calls(tmp_path, *words))
    assert calls(tmp_path, *words) == []
