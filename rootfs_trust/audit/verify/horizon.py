"""The trust horizon: the first moment at which a chain that is trusted now will fail, and why. Pure.

A verdict changes only where a validity begins or ends, so it is asked at those moments alone: whatever the client's
engine does with several paths, the best one counts. Then what nobody's clock decides: the end of a root's time in
Mozilla's programme, where the store follows it by updates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from rootfs_trust.audit.verify.shipped import Removal
from rootfs_trust.audit.verify.verdict import Horizon, Judgement
from rootfs_trust.x509 import Certificate

_SECOND = timedelta(seconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _SECOND


def horizon(
    judge: Callable[[datetime], Judgement],
    certificates: Iterable[Certificate],
    at: datetime,
    leaves: Callable[[Certificate], Removal | None],
) -> Horizon | None:
    """None where nothing that is known will ever end it.

    ``judge`` tells the client's judgement at a time. ``certificates``: all that may have a part in a path. ``leaves``
    tells when an anchor is due to leave Mozilla's programme, if it is of it.
    """
    path = judge(at).path
    end = None
    for moment in _moments(certificates, at):
        # For most clients the last second of a validity is still in it, for OpenSSL before 4.0 it is not.
        judgement = judge(moment + _SECOND)
        if judgement.refusal:
            end = Horizon(moment, judgement.refusal.reason)
            break
    removal = _removal(path, leaves)
    return removal if removal and removal.at > at and (end is None or removal.at < end.at) else end


def _moments(certificates: Iterable[Certificate], after: datetime) -> list[datetime]:
    """Begins and ends of validity."""
    moments = {moment for each in certificates for moment in (each.not_before, each.not_after) if moment}
    return sorted(moment for moment in moments if after <= moment <= _LAST)


def _removal(path: tuple[Certificate, ...], leaves: Callable[[Certificate], Removal | None]) -> Horizon | None:
    """When the path's anchor is due to be dropped, if it came with the distribution."""
    removal = leaves(path[-1]) if path else None
    return None if removal is None else Horizon(removal.at, removal.reason, sure=False)
