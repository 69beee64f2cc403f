"""Fixtures that every suite uses: certificates made on the spot, and roots that look like Debian's."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree

# A slow moment of the machine says nothing about the code: timings belong to benchmarks/.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

UNIT = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests outside tests/unit. Those inside that need a reference program have the mark in their module."""
    for item in items:
        if UNIT not in item.path.parents:
            item.add_marker("integration")


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A private CA, valid now, made again for each session."""
    return Authority("Test Root CA")


@pytest.fixture(scope="session")
def other_authority() -> Authority:
    return Authority("Other Root CA")


@pytest.fixture
def debian(tmp_path) -> DebianTree:
    """A configured Debian-like root filesystem with three shipped CAs, its store written by hand."""
    return DebianTree(tmp_path / "rootfs")
