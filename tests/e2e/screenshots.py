"""Takes the screenshots of docs/screenshots: ``python -m tests.e2e.screenshots``. Needs Chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.e2e.showcase import make_showcase
from tests.support.browser import browser
from tests.support.command import REPOSITORY, rootfs_trust

WIDTHS = (390, 768, 1280)
SCHEMES = ("light", "dark")
_HEIGHT = 1700


def take(directory: Path) -> None:
    """Write the report of the showcase at each width, light and dark, into ``folder``."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        place = Path(name)
        make_showcase(place)
        words = ("--root", "rootfs", "--config", "rootfs-trust.toml", "--baseline", "last-release", "-o", "trust.html")
        done = rootfs_trust("report", *words, cwd=place)
        assert done.returncode == 0, done.stderr
        with browser(place / "profile") as tab:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    tab.open((place / "trust.html").as_uri(), width=width, dark=scheme == "dark")
                    shot = tab.screenshot(height=_HEIGHT)
                    (directory / f"report-{width}-{scheme}.webp").write_bytes(shot)


if __name__ == "__main__":
    (REPOSITORY / "docs/screenshots").mkdir(exist_ok=True)
    take(REPOSITORY / "docs/screenshots")
