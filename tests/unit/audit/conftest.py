"""What the tests of the audit room need."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.support.peers import unavailable


@pytest.fixture
def openssl_engine() -> None:
    """For what `verify` judges by: the extra of that name."""
    if not find_spec("OpenSSL"):
        unavailable("pyOpenSSL is not installed")
