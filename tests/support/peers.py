"""The real programs that judge our results. One that is missing skips the test; in CI it fails it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from typing import NoReturn

import pytest

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PLAIN_ENVIRONMENT = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"}
"""The environment of reference programs: without the caller's variables, since SSL_CERT_FILE and others change what
they trust."""


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI says that everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI is set")
    pytest.skip(reason)


def peer(program: str) -> str:
    """The path of ``program`` on this machine."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    return path or unavailable(f"{program} is not installed")


def needs_root() -> None:
    """For what only root may do: chroot, chown, security attributes."""
    if os.geteuid() != 0:
        unavailable("this needs root")


def needs_mounts() -> None:
    """For programs whose paths are built in: mounts of ours over the machine's, in their own namespace."""
    needs_root()
    if not _mounts_are_allowed():
        unavailable("mounts in a namespace of one's own are not allowed here")


@functools.cache
def _mounts_are_allowed() -> bool:
    bind = [peer("unshare"), "-m", "mount", "--bind", "/tmp", "/mnt"]
    return subprocess.run(bind, check=False, capture_output=True).returncode == 0
