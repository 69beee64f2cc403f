"""Runs the command line as users do: in a separate process and environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import rootfs_trust as rootfs_trust_package
from tests.support.peers import PLAIN_ENVIRONMENT, SYSTEM_PATH, unavailable

REPOSITORY = Path(__file__).parents[2]
PACKAGE = str(Path(rootfs_trust_package.__file__).parents[1])
"""Where the tested package is imported from: programs of the tests run the same one, in a mutated copy too."""
_LIBRARIES = ("click", "jinja2", "markupsafe")


def rootfs_trust(
    *arguments: str | Path,
    environment: Mapping[str, str] = PLAIN_ENVIRONMENT,
    umask: int = -1,
    cwd: str | Path = "/",
    stdin: bytes = b"",
    through: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    """``rootfs-trust ARGUMENTS...``, perhaps run by another program; the exit status is the caller's to look at."""
    done = subprocess.run(
        [*through, sys.executable, "-m", "rootfs_trust", *map(str, arguments)],
        env={"PYTHONPATH": PACKAGE, **environment},
        umask=umask,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"a bug in rootfs-trust" not in done.stdout + done.stderr, done.stderr.decode(errors="replace")
    return done


def install(root: str | Path, *arguments: str | Path, **how) -> subprocess.CompletedProcess[bytes]:
    """``rootfs-trust install --root ROOT ARGUMENTS...``, which has to succeed."""
    done = rootfs_trust("install", "--root", root, *arguments, **how)
    assert done.returncode == 0, done.stderr.decode()
    return done


def program_directory(path: Path) -> Path:
    """Makes the directory ``path`` with nothing but a program ``rootfs-trust`` in it, to be put on a PATH."""
    path.mkdir()
    program = path / "rootfs-trust"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m rootfs_trust "$@"\n')
    program.chmod(0o755)
    return path


class OrdinaryUser:
    """A user without any privilege, who runs a copy of the package from ``folder`` that he may read.

    The directory of the tests, the checkout and the interpreter itself may all be closed to other users.
    """

    def __init__(self, directory: Path, uid: int, gid: int) -> None:
        self.uid, self.gid = uid, gid
        self._library = directory / "library"
        site = Path(sysconfig.get_path("purelib"))
        for source in (
            REPOSITORY / "rootfs_trust",
            REPOSITORY / "templates",
            REPOSITORY / "root_data",
            *(site / name for name in _LIBRARIES),
        ):
            shutil.copytree(source, self._library / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
        self._python = self._readable_python()

    def rootfs_trust(
        self, *arguments: str | Path, environment: Mapping[str, str] = {}, umask: int = 0o022
    ) -> subprocess.CompletedProcess[bytes]:
        return self._run(self._python, "-m", "rootfs_trust", *map(str, arguments), environment=environment, umask=umask)

    def _readable_python(self) -> str:
        for python in (sys.executable, shutil.which("python3", path=SYSTEM_PATH)):
            try:
                if python and self._run(python, "-m", "rootfs_trust", "install", "--help").returncode == 0:
                    return python
            except PermissionError:
                continue
        return unavailable("no Python that an ordinary user may run")

    def _run(
        self, *words: str, environment: Mapping[str, str] = {}, umask: int = 0o022
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            words,
            env={**PLAIN_ENVIRONMENT, "PYTHONPATH": os.fspath(self._library), **environment},
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            umask=umask,
            cwd="/",
            capture_output=True,
            timeout=60,
            check=False,
        )
