"""The fixtures that give real root filesystems, and the cases of the table made ready."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.judges import Built
from tests.e2e.prepared import Prepared
from tests.e2e.runtime_trial import World, world_of
from tests.support.debian_tree import DebianTree
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


@pytest.fixture(scope="session")
def built(tree_cache: Path) -> Built:  # noqa: F811
    """The clients that have to be built."""
    return Built(tree_cache)


@pytest.fixture
def world(debian: DebianTree, tmp_path: Path) -> Iterator[World]:
    """A root filesystem, and a server whose CA it does not trust yet."""
    with world_of(debian, tmp_path) as world:
        yield world


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Prepared]]:
    """Gives a case made ready; its servers run until the session ends."""
    made: dict[str, Prepared] = {}
    with ExitStack() as stack:

        def prepare(case: str) -> Prepared:
            if case not in made:
                made[case] = Prepared(case, tmp_path_factory.mktemp(case), stack)
            return made[case]

        yield prepare
