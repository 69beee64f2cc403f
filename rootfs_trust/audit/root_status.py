"""The status of a certificate in the root data: trusted by the root program, removed, compromised, or not listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from rootfs_trust.inputs.root_data import CloudRoot, Departure, Incident, ProgramRoot, RootData
from rootfs_trust.store.cloud_roots import removal_date
from rootfs_trust.x509 import Certificate

TRUSTED, REMOVED, COMPROMISED, UNLISTED = "trusted", "removed", "compromised", "unlisted"
STATUSES = (TRUSTED, REMOVED, COMPROMISED, UNLISTED)
"""Trusted by Mozilla's root program for TLS servers; removed from it; in an incident; unknown to the table."""

PROGRAM = "Mozilla's root program"


class RootStatus(NamedTuple):
    """A status. ``word`` is one of :data:`STATUSES`; ``reason`` is a verb phrase about the root, or empty."""

    word: str
    reason: str = ""


def root_status(data: RootData, certificate: Certificate) -> RootStatus:
    """Return the status of ``certificate`` in ``data``. An incident has priority over the root program's list."""
    if concerned := data.concerning(certificate):
        return RootStatus(COMPROMISED, incident_text(concerned[0]))
    root = data.roots.get(certificate.sha256)
    if root is None:
        return RootStatus(UNLISTED)
    return RootStatus(REMOVED, departure_text(root.left)) if root.left else RootStatus(TRUSTED)


def status_judge(data: RootData | None) -> Callable[[Certificate], RootStatus]:
    """Return :func:`root_status` for the table ``data``. Without a table, every certificate is unlisted."""
    if data is None:
        return lambda _: RootStatus(UNLISTED)
    return lambda certificate: root_status(data, certificate)


def incident_text(incident: Incident) -> str:
    """Describe the incident in a clause whose subject is the certificate."""
    return f"is affected by {incident.ids[0]} of {incident.date}: {incident.title} ({incident.source})"


def departure_text(left: Departure) -> str:
    """Describe the removal in a clause whose subject is the root."""
    source = f"{left.note_source}; {left.source}" if left.note_source else left.source
    return f"left {PROGRAM} on {left.date}{_why(left)} ({source})"


def due_text(root: ProgramRoot, today: date, last: date) -> str:
    """Describe what ends first before the day ``last``, in a clause whose subject is the root; return "" if nothing
    does. Either the program removes the root because its key is too old, or it stops trusting certificates that the
    root issues.
    """
    ends: list[tuple[date, str]] = []
    if root.not_before:
        leaves = removal_date(root.not_before)
        due = "is" if leaves >= today else "was"
        ends.append((leaves, f"{due} due to leave {PROGRAM} on {leaves} (Mozilla root store policy, section 7.4)"))
    after = root.distrust_after
    if after and after.date:
        text = f"is not trusted by {PROGRAM} for certificates that it issues after {after.date} ({after.source})"
        ends.append((after.date, text))
    return next((text for day, text in sorted(ends) if day <= last), "")


def ending_text(data: RootData, certificate: Certificate, today: date, last: date) -> str:
    """Describe in a clause why a public root may not be trusted until the day ``last``, or return ""."""
    left = root_status(data, certificate).reason
    root = data.roots.get(certificate.sha256)
    clouds = (each for each in data.cloud_roots if each.sha256 == certificate.sha256 and each.until)
    used = next((each for each in clouds if each.until and each.until <= last), None)
    if used is not None:
        return f"{used.what}, and will not after {used.until} ({used.documented.source})"
    return left or (due_text(root, today, last) if root else "")


def successors(data: RootData, certificate: Certificate) -> tuple[CloudRoot, ...]:
    """Return the documented successors of a root for the clouds that use it."""
    clouds = {each.cloud for each in data.cloud_roots if each.sha256 == certificate.sha256}
    return tuple(
        each
        for each in data.cloud_roots
        if each.cloud in clouds and each.need in ("required", "recommended") and each.sha256 != certificate.sha256
    )


def _why(left: Departure) -> str:
    if left.reason == "age" and not left.note:
        return " by the rule on key age (Mozilla root store policy, section 7.4)"
    note = f": {left.note}" if left.note else ""
    return {
        "age": f" because of its age{note}",
        "cause": f" for cause{note}",
        "expired": " because it expired",
        "replaced": f" because it was replaced{note}",
        "request": f" at its owner's request{note}",
    }.get(left.reason, note)
