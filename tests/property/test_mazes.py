"""Mazes of links and worse: the door resolves as the kernel does, and nothing outside the root is touched."""

from __future__ import annotations

import os
import subprocess
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support import kernel, mazes
from tests.support.peers import needs_root

SAMPLE = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(SAMPLE, max_examples=30)
RANDOMS = st.randoms(use_true_random=False)
"""Hypothesis' own: what is drawn from it shrinks."""

IN_CHROOT = """
import os, sys
os.chroot(sys.argv[1])
os.chdir("/")
def identity(path, flags):
    try:
        status = os.fstat(os.open(path, os.O_PATH | os.O_CLOEXEC | flags))
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mode
for path in sys.stdin.buffer.read().split(b"\\0"):
    print([identity(path, 0), identity(path, os.O_NOFOLLOW)])
"""


@SAMPLE
@given(random=RANDOMS)
def test_the_door_resolves_as_openat2_does(tmp_path, random):
    maze = mazes.draw(random, os.fsencode(tmp_path))
    with RootDirectory(str(tmp_path)) as root, mazes.built(maze, root.fd):
        assert mazes.differences(root, maze) == []


@FEW
@given(random=RANDOMS)
def test_the_door_resolves_as_in_a_chroot(tmp_path, random):
    needs_root()
    maze = mazes.draw(random, os.fsencode(tmp_path), most=20)
    with RootDirectory(str(tmp_path)) as root, mazes.built(maze, root.fd):
        for path, answer in zip(maze.paths, in_chroot(tmp_path, maze.paths), strict=True):
            ours = [_real(root, path), kernel.identity(root.fd, path, follow=False)]
            assert answer == str(ours), path


def in_chroot(root, paths: list[bytes]) -> list[str]:
    run = [sys.executable, "-I", "-S", "-c", IN_CHROOT, str(root)]
    done = subprocess.run(run, input=b"\0".join(paths), capture_output=True, check=True, timeout=30)
    return done.stdout.decode().splitlines()


def _real(root: RootDirectory, path: bytes) -> tuple[int, int, int] | None:
    """What the door's real path names, opened by the kernel."""
    real = root.real_path(mazes.as_text(path))
    return None if real is None else kernel.identity(root.fd, mazes.as_bytes(real), follow=False)
