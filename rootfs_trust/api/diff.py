"""``diff``: what two trees trust, held against each other."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.difference import Difference, difference
from rootfs_trust.audit.settings import FoundSetting, found_settings
from rootfs_trust.audit.trust import Trust, TrustedAnchor


def diff(before: str, after: str, *, states: Sequence[str] = ()) -> Difference:
    """The difference from the tree at ``before`` to the one at ``after``; ``states`` lie over the second one.

    Raises InputError.
    """
    old_anchors, old_settings = _looked_at(before, ())
    new_anchors, new_settings = _looked_at(after, states)
    return difference(old_anchors, new_anchors, old_settings, new_settings)


def _looked_at(source: str, states: Sequence[str]) -> tuple[tuple[TrustedAnchor, ...], tuple[FoundSetting, ...]]:
    with open_view(source, states) as view:
        return Trust(view).anchors, found_settings(view)
