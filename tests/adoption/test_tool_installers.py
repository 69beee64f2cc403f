"""The lines of docs/ci.md for pipx and uv, with a wheel of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.command import REPOSITORY
from tests.support.docs_blocks import blocks

pytestmark = pytest.mark.slow
LINES = [block.text for block in blocks("docs/ci.md", "pipx and uv") if block.language == "sh"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A wheel, and an environment with pipx and uv."""
    directory = tmp_path_factory.mktemp("installers")
    subprocess.run([sys.executable, "-m", "venv", directory / "venv"], check=True, timeout=120)
    pip = [directory / "venv/bin/pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "pipx", "uv"], check=True, timeout=300)
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", directory, REPOSITORY], check=True, timeout=300)
    return directory


@pytest.mark.parametrize("line", LINES, ids=["pipx", "uv"])
def test_the_line_installs_the_command(place, line, tmp_path):
    (wheel,) = place.glob("*.whl")
    places = {"PIPX_HOME": tmp_path / "pipx", "PIPX_BIN_DIR": tmp_path / "bin", "UV_TOOL_DIR": tmp_path / "uv"}
    environment = {
        **os.environ,
        **{name: str(path) for name, path in places.items()},
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "PATH": f"{place}/venv/bin:{os.environ['PATH']}",
        "WHEEL": str(wheel),
    }
    subprocess.run(["sh", "-euc", line], env=environment, check=True, timeout=300)
    done = subprocess.run([tmp_path / "bin/rootfs-trust", "verify", "--help"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
