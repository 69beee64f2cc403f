"""Recall and false alarms of the root data, against lists from which it was not made.

A root that the newest certifi does not have has left: `check` names it, with a date. One that it has is called neither
removed nor compromised.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rootfs_trust import check
from rootfs_trust.audit.checks.roots import COMPROMISED, REMOVED
from tests.support.public_lists import NEWEST, certifi_bundle, certificates, debian_bundle
from tests.support.trees import tree_cache  # noqa: F401
from tests.support.upgrade_tree import package_of

pytestmark = pytest.mark.slow

GONE = {"2021.10.8": 58, "2022.9.24": 52, "2023.5.7": 47, "2024.2.2": 45, "2025.1.31": 43}
"""Roots of each version that the newest one does not have."""


def tree_of(bundle: bytes, path: Path) -> str:
    file = path / "etc/ssl/certs/ca-certificates.crt"
    file.parent.mkdir(parents=True)
    file.write_bytes(bundle)
    return str(path)


def held_against(newest: set[str], bundle: bytes, path: Path) -> int:
    """How many roots of ``bundle`` are gone from the newest list, once `check` has named just these."""
    found = [each for each in check(tree_of(bundle, path)) if each.kind in (REMOVED, COMPROMISED)]
    assert all(re.search(r" (on|of) \d{4}-\d\d-\d\d[ :]", each.message) for each in found)
    gone = certificates(bundle).keys() - newest
    assert {each.sha256 for each in found} == gone
    return len(gone)


@pytest.fixture(scope="module")
def newest(tree_cache) -> set[str]:  # noqa: F811
    return set(certificates(certifi_bundle(tree_cache / "certifi", NEWEST)))


@pytest.mark.parametrize("version", GONE)
def test_an_older_certifi(newest, tree_cache, tmp_path, version):  # noqa: F811
    bundle = certifi_bundle(tree_cache / "certifi", version)
    assert held_against(newest, bundle, tmp_path / "root") == GONE[version]


@pytest.mark.parametrize("suite", ["bookworm", "bookworm-security", "trixie"])
def test_debians_package(newest, tree_cache, tmp_path, suite):  # noqa: F811
    bundle = debian_bundle(package_of(tree_cache, suite))
    assert len(certificates(bundle)) > 100
    assert held_against(newest, bundle, tmp_path / "root") > 10
