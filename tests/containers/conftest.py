"""The store of images, and the real tree that its bases are made of."""

from tests.support.container_bases import buildah, python_base  # noqa: F401
from tests.support.trees import amd64_tar, arm64_base, arm64_tar, tree_cache  # noqa: F401
