"""``list``: every anchor that a tree trusts."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.api.clock import time_here
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.trust import Trust, TrustedAnchor
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.own import own_digests


def list_anchors(root: str, *, config: str | None = None, states: Sequence[str] = ()) -> tuple[TrustedAnchor, ...]:
    """Every anchor of every output of the tree at ``root``, in the order of the bundle.

    ``config`` is a rootfs-trust.toml whose anchors are then known as such; None takes the one in the current folder
    where there is one. Raises InputError.
    """
    own = own_digests(load_config(config), time_here())
    with open_view(root, states) as view:
        return Trust(view, own).anchors
