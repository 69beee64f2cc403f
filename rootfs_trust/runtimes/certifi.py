"""Python's certifi: each of its files ``cacert.pem``, the vendored copies of pip and others, and botocore's file."""

from __future__ import annotations

from rootfs_trust.runtimes.bundles import changed_bundles
from rootfs_trust.runtimes.find import CERTIFI
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree

NAME = "certifi"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has a bundle of certifi that is not a link to the system's."""
    return bool(tree.files(CERTIFI))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan every bundle of certifi, with the anchors in a marked block at its end."""
    return changed_bundles(tree.view, tree.files(CERTIFI), request)
