"""The real ``trust`` over directories of the test's own.

Its module reads the paths that it was built with, unless its configuration names others; no option does. So a
configuration of ours is mounted over the system's, in a mount namespace that ends with the program.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, needs_root, peer, unavailable

MODULES = Path("/usr/share/p11-kit/modules")
_RUN = 'mount --bind "$1" "$2" && shift 2 && exec trust extract --overwrite "$@"'


class TrustTool:
    """``trust`` with the tokens at ``paths``."""

    def __init__(self, paths: Iterable[Path]) -> None:
        needs_root()
        peer("trust")
        self._paths = ":".join(map(str, paths))
        if not (MODULES / "p11-kit-trust.module").exists():
            unavailable("p11-kit's trust module is not installed")

    def extract(self, *arguments: str, **environment: str) -> str:
        """``trust extract ARGUMENTS...``; gives what it says on standard error."""
        needs_mounts()
        lines = (MODULES / "p11-kit-trust.module").read_text().splitlines()
        kept = [line for line in lines if not line.startswith("x-init-reserved:")]
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "p11-kit-trust.module").write_text(
                "\n".join([*kept, f"x-init-reserved: paths='{self._paths}'", ""])
            )
            done = subprocess.run(
                [peer("unshare"), "-m", "sh", "-c", _RUN, "sh", directory, MODULES, *arguments],
                env={**PLAIN_ENVIRONMENT, "P11_KIT_NO_USER_CONFIG": "1", **environment},
                capture_output=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, done.stderr.decode()
        return done.stderr.decode(errors="replace")
