"""What a builder's user has: a directory with a CA, a checkout of this repository, the tool on the PATH, a page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.authority import Authority
from tests.support.command import REPOSITORY, program_directory
from tests.support.docs_blocks import Block, blocks
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer

PAGE = "docs/other-builders.md"


class Workshop:
    """``path`` is the directory, ``program_directories`` stand first in the PATH."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.path = directory / "workshop"
        self.path.mkdir()
        (self.path / "my-ca.pem").write_bytes(authority.pem)
        (self.path / "rootfs-trust").symlink_to(REPOSITORY)
        self._programs = program_directory(directory / "programs")

    def follow(self, heading: str, *, namespace: bool = False, **environment: str) -> str:
        """Run what the page prints below ``heading``; with mounts that end with it, if ``namespace``."""
        script = "".join(block.text for block in printed(heading, "sh"))
        assert script
        return self.run(script, namespace=namespace, **environment)

    def run(self, script: str, *, namespace: bool = False, **environment: str) -> str:
        """What the script says. How packages are reached is this machine's affair, so its environment stays."""
        done = subprocess.run(
            [*self._shell(namespace), "-eu", "-c", script],
            cwd=self.path,
            env={**os.environ, **PLAIN_ENVIRONMENT, "PATH": self._path(), "HOME": str(self.path), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def take_for_debootstrap(self, tar: Path) -> None:
        """Builders that call debootstrap get the tree that Debian's own tool has made once for all tests."""
        program = self._programs / "debootstrap"
        program.write_text(_DEBOOTSTRAP.format(tar=tar))
        program.chmod(0o755)

    def _shell(self, namespace: bool) -> tuple[str, ...]:
        if not namespace:
            return (peer("sh"),)
        needs_mounts()
        return (peer("unshare"), "-m", "sh")

    def _path(self) -> str:
        return f"{self._programs}:{os.path.dirname(sys.executable)}:{PLAIN_ENVIRONMENT['PATH']}"


_DEBOOTSTRAP = """\
#!/bin/sh
# debootstrap [--OPTION=VALUE]... SUITE FOLDER [MIRROR [SCRIPT]]
while [ "${{1:-}}" != "${{1#-}}" ]; do shift; done
[ $# -gt 1 ] || exit 0  # mkosi asks so for the options that are known
mkdir -p "$2"
exec tar --numeric-owner -xpf "{tar}" -C "$2"
"""


def printed(heading: str, language: str) -> list[Block]:
    return [block for block in blocks(PAGE, heading) if block.language == language]
