"""Plans the trust store of any layout."""

from __future__ import annotations

from typing import assert_never

from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import BuildrootHook, NoTool, RehashScript, TrustExtract, UpdateCaCertificates
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.store_plan import Request, StorePlan


def plan_store(layout: Layout, view: View, request: Request) -> StorePlan:
    """Plan the store that ``request`` makes of the rootfs ``view``."""
    # The code for each tool is imported where it is needed, because a run needs only one.
    match layout.tool:
        case UpdateCaCertificates() as tool:
            from rootfs_trust.store.debian.planning import plan_debian

            return plan_debian(layout, tool, view, request)
        case TrustExtract() as tool:
            from rootfs_trust.store.p11kit.planning import plan_p11kit

            return plan_p11kit(layout, tool, view, request)
        case BuildrootHook() as tool:
            from rootfs_trust.store.buildroot import plan_buildroot

            return plan_buildroot(layout, tool, view, request)
        case RehashScript():
            from rootfs_trust.store.photon import plan_photon

            return plan_photon(layout, view, request)
        case NoTool() as tool:
            from rootfs_trust.store.bundle_store import plan_bundle

            return plan_bundle(layout, tool, view, request)
        case tool:
            assert_never(tool)
