"""``diff``: what two trees trust, held against each other."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.difference import Difference, difference
from rootfs_trust.audit.settings import found_settings
from rootfs_trust.audit.trust import Trust
from rootfs_trust.rootfs.nodes import View


def diff(before: str, after: str, *, states: Sequence[str] = ()) -> Difference:
    """The difference from the tree at ``before`` to the one at ``after``; ``states`` lie over the second one.

    Raises InputError.
    """
    with open_view(after, states) as view:
        return diff_in(before, view)


def diff_in(before: str, view: View) -> Difference:
    """The difference from the tree at ``before`` to one that is at hand. Raises InputError."""
    with open_view(before) as old:
        old_anchors, old_settings = Trust(old).anchors, found_settings(old)
    return difference(old_anchors, Trust(view).anchors, old_settings, found_settings(view))
