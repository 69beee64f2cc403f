"""axe-core, which finds what is wrong for users of screen readers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.peers import peer, unavailable


def axe_source(directory: Path) -> str:
    """The source of axe-core, from its package, which is put into ``folder``."""
    words = [peer("npm"), "pack", "--silent", "axe-core@4"]
    packed = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False, timeout=120)
    if packed.returncode:
        unavailable(f"axe-core cannot be had: {packed.stderr}")
    subprocess.run(["tar", "-xzf", packed.stdout.split()[-1]], cwd=directory, check=True)
    return (directory / "package/axe.min.js").read_text()
