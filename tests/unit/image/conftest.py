"""The command line, as in the tests of the other commands, and images made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import LayoutDirectory, Tarball
from tests.unit.cli.conftest import Command, command  # noqa: F401


@pytest.fixture
def ca(authority, tmp_path) -> Path:
    path = tmp_path / "my-ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
def base(debian, command) -> bytes:  # noqa: F811
    """A layer that is a whole Debian-like tree, its store up to date."""
    assert command("install", "--root", debian.path).status == 0
    return Tarball().tree(debian.path, "").end()


@pytest.fixture
def image(command, ca, tmp_path) -> Command:  # noqa: F811
    """``rootfs-trust image SOURCE out --cert my-ca.pem``, answering in JSON."""

    def run(source: object, *words: object, dest: object = tmp_path / "out"):
        return command("image", source, dest, "--cert", ca, "--format", "json", *words)

    return run


@pytest.fixture
def layout(tmp_path) -> LayoutDirectory:
    return LayoutDirectory(tmp_path / "layout")
