"""The real tree whose programs judge the small ones."""

from tests.support.trees import amd64_base, amd64_tar, tree_cache  # noqa: F401
