"""What tests of several packages need."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.support.peers import unavailable
from tests.unit.audit.good_tree import GoodTree


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """The good tree of a layout with some clouds, built once."""
    trees: dict[tuple[str, ...], GoodTree] = {}

    def build(family, clouds):
        key = (family, *clouds)
        if key not in trees:
            trees[key] = GoodTree.build(tmp_path_factory.mktemp("good") / "root", family, *clouds)
        return trees[key]

    return build


@pytest.fixture
def openssl_engine() -> None:
    """For what `verify` judges by: the extra of that name."""
    if not find_spec("OpenSSL"):
        unavailable("pyOpenSSL is not installed")
