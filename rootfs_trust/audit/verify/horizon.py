"""The trust horizon: the first moment at which a chain that is trusted now will fail, and why. Pure.

A verdict changes only where a validity begins or ends, so it is asked at those moments alone: whatever the client's
engine does with several paths, the best one counts. Then what nobody's clock decides: the end of a root's time in
Mozilla's programme, where the store follows it by updates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta

from rootfs_trust.audit.verify.verdict import Horizon, Judgement, named
from rootfs_trust.store.presets import leaves_programme
from rootfs_trust.x509 import Certificate

_SECOND = timedelta(seconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _SECOND


def horizon(
    judge: Callable[[datetime], Judgement],
    certificates: Iterable[Certificate],
    at: datetime,
    is_shipped: Callable[[Certificate], bool],
) -> Horizon | None:
    """None where nothing that is known will ever end it.

    ``judge`` tells the client's judgement at a time. ``certificates``: all that may have a part in a path.
    """
    path = judge(at).path
    end = None
    for moment in _moments(certificates, at):
        # For most clients the last second of a validity is still in it, for OpenSSL before 4.0 it is not.
        judgement = judge(moment + _SECOND)
        if judgement.refusal:
            end = Horizon(moment, judgement.refusal.reason)
            break
    removal = _removal(path, is_shipped)
    return removal if removal and removal.at > at and (end is None or removal.at < end.at) else end


def _moments(certificates: Iterable[Certificate], after: datetime) -> list[datetime]:
    """Begins and ends of validity."""
    moments = {moment for each in certificates for moment in (each.not_before, each.not_after) if moment}
    return sorted(moment for moment in moments if after <= moment <= _LAST)


def _removal(path: tuple[Certificate, ...], is_shipped: Callable[[Certificate], bool]) -> Horizon | None:
    """When Mozilla is due to drop the path's anchor, if that one came with the distribution."""
    anchor = path[-1] if path else None
    if anchor is None or anchor.not_before is None or not is_shipped(anchor):
        return None
    day = leaves_programme(anchor.not_before.date())
    reason = f"Mozilla is due to drop {named(anchor)} for web sites, and the distribution's updates follow"
    return Horizon(datetime.combine(day, time(), UTC), reason, sure=False)
