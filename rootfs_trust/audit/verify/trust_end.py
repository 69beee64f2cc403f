"""Find until when a client trusts a chain, and why it stops.

A verdict can change only where a validity begins or ends, so the verdict is computed at these times. This works for any
number of paths. Trust also ends when Mozilla's root program is due to remove the root, because the distribution's
updates follow the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from rootfs_trust.audit.verify.planned_removals import PlannedRemoval
from rootfs_trust.audit.verify.verdict import ChainVerdict, TrustEnd
from rootfs_trust.times import LATEST, later
from rootfs_trust.x509 import Certificate


def horizon(
    judge: Callable[[datetime], ChainVerdict],
    certificates: Iterable[Certificate],
    at: datetime,
    leaves: Callable[[Certificate], PlannedRemoval | None],
) -> TrustEnd | None:
    """Return the end of the trust, or None if no end is known.

    ``judge`` returns the client's verdict at a time. ``certificates``: all that may be part of a path. ``leaves``
    returns the planned removal of an anchor from Mozilla's root program, or None.
    """
    path = judge(at).path
    end = None
    for moment in _moments(certificates, at):
        # Most clients include the last second of a validity; OpenSSL before 4.0 does not.
        judgement = judge(later(moment, seconds=1))
        if judgement.refusal:
            end = TrustEnd(moment, judgement.refusal.reason)
            break
    removal = _removal(path, leaves)
    return removal if removal and removal.at > at and (end is None or removal.at < end.at) else end


def _moments(certificates: Iterable[Certificate], after: datetime) -> list[datetime]:
    """Return the times at which a validity begins or ends."""
    moments = {moment for each in certificates for moment in (each.not_before, each.not_after) if moment}
    return sorted(moment for moment in moments if after <= moment < LATEST)


def _removal(path: tuple[Certificate, ...], leaves: Callable[[Certificate], PlannedRemoval | None]) -> TrustEnd | None:
    """Return the planned removal of the path's anchor, if the distribution ships it."""
    removal = leaves(path[-1]) if path else None
    return None if removal is None else TrustEnd(removal.at, removal.reason, sure=False)
