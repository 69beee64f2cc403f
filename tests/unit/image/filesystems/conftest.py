"""A root filesystem with a configured store, and every kind of entry that an image can hold."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.support.peers import needs_root
from tests.unit.cli.conftest import Command, command  # noqa: F401

MTIME = 1_600_000_000


@pytest.fixture
def ca(authority, tmp_path) -> Path:
    path = tmp_path / "my-ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
def rootfs(debian, command, ca) -> Path:  # noqa: F811
    """The tree of a Debian-like device, its anchor installed, whose programs and data are of many kinds."""
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    fill(debian.path)
    return debian.path


def fill(root: Path) -> None:
    random = Random(39)
    library = root / "usr/lib"
    library.mkdir(parents=True, exist_ok=True)
    (library / "noise").write_bytes(random.randbytes(300_000))
    (library / "text").write_bytes(b"".join(b"line %d of %d\n" % (n, n * n) for n in range(20_000)))
    (library / "empty").write_bytes(b"")
    (library / "mixed").write_bytes(b"abc" * 50_000 + random.randbytes(70_000) + bytes(200_000) + b"end")
    os.link(library / "mixed", library / "mixed-again")
    for n in range(200):
        (library / f"small-{n:03}").write_bytes(b"hello world\n" * random.randint(0, 600))
    (library / "long").symlink_to("/etc/" + "ssl/../" * 30 + "ssl")
    (library / "odd name\n\\\u00e9").write_bytes(b"odd")
    if os.geteuid() == 0:
        special(library)
    for directory, directories, files in os.walk(root, topdown=False):
        for name in [*directories, *files]:
            os.utime(Path(directory, name), (MTIME, MTIME + len(name)), follow_symlinks=False)


def special(library: Path) -> None:
    """What only root can make."""
    needs_root()
    os.mkfifo(library / "fifo")
    os.mknod(library / "null", 0o020666, os.makedev(1, 3))
    os.chown(library / "text", 1234, 70_000)
    (library / "text").chmod(0o4755)
    os.setxattr(library / "text", "user.note", b"a value")
    os.setxattr(library / "noise", "security.selinux", b"system_u:object_r:lib_t:s0\0")
    os.setxattr(library / "noise", "security.ima", bytes(range(200)))
