"""Erlang's and Elixir's castore: every ``priv/cacerts.pem`` of it, and those of Erlang's certifi."""

from __future__ import annotations

from rootfs_trust.runtimes.bundles import changed_bundles
from rootfs_trust.runtimes.find import CASTORE
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree

NAME = "castore"
TITLE = "Erlang's and Elixir's `castore/priv/cacerts.pem`"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has a bundle of castore that is not a link to the system's."""
    return bool(tree.files(CASTORE))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan every bundle with the anchors in a marked block at its end."""
    return changed_bundles(tree.view, tree.files(CASTORE), request)
