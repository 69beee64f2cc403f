"""``diff``: compare what two trees trust."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.api.open_tree import open_view
from rootfs_trust.audit.root_status import status_judge
from rootfs_trust.audit.tree_diff import Difference, difference
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.inputs.root_data import RootData, load_root_data
from rootfs_trust.rootfs.view import View
from rootfs_trust.thin_edge.settings_in_force import found_settings


def diff(before: str, after: str, *, states: Sequence[str] = (), root_data: str | None = None) -> Difference:
    """Compare the tree at ``before`` with the one at ``after``. ``states`` are applied to the second one.

    ``root_data`` is the file of a newer table of public roots. Raises InputError.
    """
    data = load_root_data(root_data)
    with open_view(after, states) as view:
        return diff_in(before, view, data)


def diff_in(before: str, view: View, data: RootData) -> Difference:
    """Compare the tree at ``before`` with the open tree ``view``. Raises InputError."""
    with open_view(before) as old:
        old_anchors, old_settings = Trust(old).trusted, found_settings(old)
    return difference(old_anchors, Trust(view).trusted, old_settings, found_settings(view), status_judge(data))
