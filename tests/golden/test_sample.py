"""The comparison of two checkouts: no difference between equal ones, and every kind of difference is seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.golden.__main__ import differences
from tests.golden.scenarios import SCENARIOS, Scenario
from tests.support.command import REPOSITORY

DEBIAN = next(each for each in SCENARIOS if each.name == "debian")
FEW = Scenario("few", DEBIAN.build, tuple(each for each in DEBIAN.commands if each[0] in ("install", "check"))[:6])


@pytest.fixture
def copy(tmp_path) -> Path:
    for name in ("rootfs_trust", "templates", "recipes", "root_data"):
        shutil.copytree(REPOSITORY / name, tmp_path / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def patch(checkout: Path, code: str) -> None:
    """Let the copy run ``code`` before each command."""
    path = checkout / "rootfs_trust/__main__.py"
    first = "from __future__ import annotations\n"
    path.write_text(path.read_text().replace(first, f"{first}{code}\n"))


def test_equal_checkouts_do_not_differ(copy, tmp_path):
    assert differences(copy, REPOSITORY, tmp_path, FEW) == []


def test_a_changed_file_is_a_difference_once(copy, tmp_path):
    patch(copy, "import os; fchmod = os.fchmod; os.fchmod = lambda fd, mode: fchmod(fd, 0o600)")
    found = differences(copy, REPOSITORY, tmp_path, FEW, written=True)
    assert len([each for each in found if "./rootfs/etc/ssl/certs/ca-certificates.crt" in each]) == 1


def test_changed_output_is_a_difference(copy, tmp_path):
    patch(copy, "import json; dumps = json.dumps; json.dumps = lambda *more, **how: ' ' + dumps(*more, **how)")
    assert any(": stdout\n" in each for each in differences(copy, REPOSITORY, tmp_path, FEW))
    (tmp_path / "again").mkdir()
    assert differences(copy, REPOSITORY, tmp_path / "again", FEW, written=True) == []
