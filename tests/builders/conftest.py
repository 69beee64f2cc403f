"""Real trees, and the directory in which the commands of docs/other-builders.md run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.workshop import Workshop
from tests.support.authority import Authority
from tests.support.servers import https_server
from tests.support.trees import (  # noqa: F401
    SUITE,
    RealTree,
    _cached,
    _copy,
    amd64_base,
    amd64_tar,
    new_small_tree,
    small_base,
    tree_cache,
)
from tests.support.upgrade_tree import _make_released


@pytest.fixture
def workshop(tmp_path: Path, authority: Authority) -> Workshop:
    return Workshop(tmp_path, authority)


@pytest.fixture
def port(authority: Authority, tmp_path: Path) -> Iterator[int]:
    """Of a server of the private CA."""
    with https_server(authority.server("localhost"), tmp_path) as port:
        yield port


@pytest.fixture(scope="session")
def released_tar(tree_cache: Path) -> Path:  # noqa: F811
    """A Debian that is whole enough for its package tools, as builders want it."""
    return _cached(tree_cache, f"{SUITE}-released.tar", _make_released)


@pytest.fixture
def tree(workshop: Workshop, small_base: Path) -> Iterator[RealTree]:  # noqa: F811
    """A real tree in the place that the page calls ./rootfs."""
    path = workshop.path / "rootfs"
    _copy(small_base, path)
    yield RealTree(path)
    shutil.rmtree(path)
