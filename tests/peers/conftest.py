"""The fixtures that give real root filesystems, and a place for ordinary users."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.peers import needs_root
from tests.support.trees import (  # noqa: F401
    amd64_base,
    amd64_tar,
    amd64_tree,
    arm64_base,
    arm64_tar,
    arm64_tree,
    new_amd64_tree,
    new_arm64_tree,
    new_small_tree,
    small_base,
    tree_cache,
)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter, which pytest's own are not."""
    needs_root()
    directory = Path(tempfile.mkdtemp(prefix="rootfs-trust-open-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)
