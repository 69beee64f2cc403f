"""The fixtures that give real root filesystems."""

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
