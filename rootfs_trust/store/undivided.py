"""Stores that know no purposes: whatever is in them is trusted for everything. Pure."""

from __future__ import annotations

from dataclasses import replace

from rootfs_trust.errors import Trouble
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.purposes import SERVERS, shown
from rootfs_trust.store.request import Answer, Request


def for_everything(request: Request, answer: Answer, layout: str) -> Request:
    """``request`` with anchors for everything, which is what the store of ``layout`` makes of them.

    One that is to be trusted for more than it asks is told; for servers, which is what such a store serves, it is
    a trouble: the TLS clients of the device would take that CA's word in silence.
    """
    for anchor in request.anchors:
        if anchor.purposes is not None and SERVERS in anchor.purposes:
            answer.warnings.append(_for_more(anchor, layout))
        elif anchor.purposes is not None:
            answer.troubles.append(_not_for_servers(anchor, layout))
    return replace(request, anchors=tuple(replace(anchor, purposes=None) for anchor in request.anchors))


def _for_more(anchor: Anchor, layout: str) -> Trouble:
    message = f"is to be trusted for {shown(anchor.purposes)}; the store of {layout} trusts it for everything"
    return Trouble("purposes", anchor.where, message, "this store knows no purposes: fedora, suse and arch do")


def _not_for_servers(anchor: Anchor, layout: str) -> Trouble:
    message = f"is to be trusted for {shown(anchor.purposes)} alone, and the store of {layout} knows no purposes"
    hint = f"TLS clients would trust it for servers: leave it out here, or name {SERVERS} among its purposes"
    return Trouble("purposes", anchor.where, message, hint)
