"""Erlang's and Elixir's castore: each of its files ``priv/cacerts.pem``, and those of Erlang's certifi.

Facts: castore.ex (elixir-mint/castore 7cd9624): ``file_path`` is ``priv/cacerts.pem`` of the application, read by its
callers. certifi_pt.erl (certifi/erlang-certifi): a parse transform compiles the certificates into ``cacerts/0``, so
only callers of ``cacertfile/0`` read the file at run time.
"""

from __future__ import annotations

from rootfs_trust.errors import COMPILED_ROOTS
from rootfs_trust.rootfs.view import File, View, join, parent
from rootfs_trust.runtimes.bundles import changed_bundles
from rootfs_trust.runtimes.find import CASTORE
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree

NAME = "castore"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has a bundle of castore that is not a link to the system's."""
    return bool(tree.files(CASTORE))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan every bundle of castore, with the anchors in a marked block at its end."""
    paths = tree.files(CASTORE)
    result = changed_bundles(tree.view, paths, request)
    modules = [module for path in paths if (module := module_with_roots(tree.view, path))] if request.anchors else []
    message = "has roots compiled in, so programs that call certifi:cacerts/0, such as hackney, do not see the anchors"
    result.warnings += (COMPILED_ROOTS(module, message) for module in modules)
    return result


def module_with_roots(view: View, path: str) -> str | None:
    """Return the module of Erlang's certifi that belongs to the bundle at ``path`` and has the same certificates."""
    module = join(parent(parent(path)), "ebin/certifi.beam")
    return module if view.kind(module) is File else None
