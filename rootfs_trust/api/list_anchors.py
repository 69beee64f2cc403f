"""``list``: return every anchor that a tree trusts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.audit.trusted_anchors import Trust, TrustedAnchor
from rootfs_trust.clients.all_clients import unknown_client
from rootfs_trust.errors import InputError, refuse
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.configured_anchors import own_digests


def list_anchors(
    root: str,
    *,
    config: str | Config | None = None,
    states: Sequence[str] = (),
    clients: Sequence[str] = (),
    root_data: str | None = None,
    at: datetime | None = None,
) -> tuple[TrustedAnchor, ...]:
    """Return every anchor that the tree at ``root`` trusts: first those in the bundle, in its order, then all others.

    Anchors in ``config`` get the origin rootfs-trust. ``clients`` limits the result to what any of them trusts.
    ``root_data`` is the table of public roots that the config may refer to. Raises InputError.
    """
    own = own_digests(load_config(config, root_data), at or utc_now())
    with open_view(root, states) as view:
        trust = Trust(view, own)
        _refuse_unknown(trust, clients)
        return tuple(anchor for anchor in trust.trusted if not clients or set(clients).intersection(anchor.clients))


def _refuse_unknown(trust: Trust, clients: Sequence[str]) -> None:
    here = dict.fromkeys(reading.client for reading in trust.readings)
    refuse(InputError, (unknown_client(name, here) for name in clients if name not in here))
