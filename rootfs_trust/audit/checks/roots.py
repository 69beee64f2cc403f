"""Findings about public roots, compared with the root data: compromised, removed, about to end, or missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Command, Finding, FindingType, remove, remove_concerned
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.root_status import PROGRAM, departure_text, due_text, incident_text, root_status
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.inputs.root_data import Incident, ProgramRoot
from rootfs_trust.store.selection import selected
from rootfs_trust.times import later

COMPROMISED = FindingType(
    "root-compromised",
    (ERROR,),
    "A root or intermediate that an incident affects is trusted",
    "Somebody else may have its key, or a key that it certified, and can impersonate any server.",
    "distrust it: delete its source file, or distrust it in the list, and rebuild the trust store",
)
REMOVED = FindingType(
    "root-removed",
    (NOTE, WARNING),
    "Mozilla's root program has removed a root",
    "Nobody audits the root any more, and clouds do not use it. It is a warning if it was removed for cause.",
    "update the distribution's package, or distrust the root in rootfs-trust.toml: program or distrust in [store]",
)
ENDS = FindingType(
    "root-ends",
    (NOTE,),
    "Mozilla's root program will remove a root within the days of the policy, or trusts no new certificates from it",
    "Mozilla stops trusting a root for web sites about 15 years after its key was created, long before it "
    "expires. The distribution's next package then drops it, and clouds move to another root. [policy] "
    "min_days_left is how long devices will run with this image.",
    "ask the cloud which root it will use next, and install that one, too",
)
MISSING = FindingType(
    "root-missing",
    (NOTE,),
    "Most roots of Mozilla's root program are trusted, but not this one",
    "Clients refuse servers of CAs that joined the program after the distribution's package was built.",
    "update the distribution's package, or install the root",
)
OLD = FindingType(
    "root-data-old",
    (NOTE,),
    "The table of public roots is older than 90 days",
    "Later removals and incidents are not known.",
    "update rootfs-trust, or use a newer table: --root-data FILE",
)
NOT_ALLOWED = FindingType(
    "not-allowed",
    (ERROR,),
    "An anchor is trusted that [policy] allow_only does not name",
    "Whoever has its key can impersonate any server. Anchors that rootfs-trust.toml installs are allowed.",
    "remove the anchor, or add it to [policy] allow_only",
)
KINDS = (COMPROMISED, REMOVED, ENDS, MISSING, OLD, NOT_ALLOWED)

_OLD = timedelta(days=90)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every anchor, and for roots of the root program that are missing."""
    data = inspection.root_data
    live = 0
    listed = False
    for anchor in inspection.trust.trusted:
        certificate = anchor.certificate
        root = data.roots.get(certificate.sha256)
        listed |= root is not None
        if concerned := data.concerning(certificate):
            note = f" ({concerned[1].note})" if concerned[1].note else ""
            yield _compromised_root(inspection, anchor, f"{anchor.name}{note}", concerned[0])
        elif root and root.left:
            level = WARNING if root.left.reason == "cause" else NOTE
            yield _removed_root(inspection, anchor, departure_text(root.left), level)
        elif root:
            yield from _ending_trust(inspection, anchor, root)
        live += bool(root and not root.left)
    yield from _not_allowed(inspection)
    if live > len(data.live) / 2:
        yield from _missing_roots(inspection)
    if listed and inspection.at.date() - data.date > _OLD:
        yield _old_root_data(inspection, data.date)


def _compromised_root(inspection: Inspection, anchor: TrustedAnchor, name: str, incident: Incident) -> Finding:
    sha256, cause = anchor.certificate.sha256, incident_text(incident)
    commands = (*_removals(incident), remove(sha256))
    return COMPROMISED.found_of(inspection.where(anchor), name, cause, sha256=sha256, commands=commands)


def _removals(incident: Incident) -> tuple[Command, ...]:
    """Return the command that removes every certificate of an incident, if its id can be an argument of a command."""
    name = incident.ids[0]
    return (remove_concerned(name),) if name.isprintable() and not name.startswith("-") else ()


def _removed_root(inspection: Inspection, anchor: TrustedAnchor, cause: str, level: str) -> Finding:
    sha256 = anchor.certificate.sha256
    # A stock tree has dozens of them, which one setting distrusts: check does not try a command for each.
    commands = (remove(sha256),) if anchor.is_local else ()
    return REMOVED.found_of(inspection.where(anchor), anchor.name, cause, level=level, sha256=sha256, commands=commands)


def _ending_trust(inspection: Inspection, anchor: TrustedAnchor, root: ProgramRoot) -> Iterator[Finding]:
    """Yield a finding if the trust in the root ends within the lifetime of the image."""
    last = later(inspection.at, days=inspection.policy.min_days_left).date()
    cause = due_text(root, inspection.at.date(), last)
    if cause:
        yield ENDS.found_of(inspection.where(anchor), anchor.name, cause, sha256=root.sha256)


def _not_allowed(inspection: Inspection) -> Iterator[Finding]:
    allowed = inspection.policy.allow_only
    if not allowed:
        return
    for anchor in inspection.trust.trusted:
        certificate = anchor.certificate
        sha256, where = certificate.sha256, inspection.where(anchor)
        if inspection.table_of(certificate) is None and not selected(allowed, certificate):
            reason = root_status(inspection.root_data, certificate).reason
            cause = f"is not in [policy] allow_only{f'; it {reason}' if reason else ''}"
            yield NOT_ALLOWED.found_of(where, anchor.name, cause, sha256=sha256, commands=(remove(sha256),))


def _missing_roots(inspection: Inspection) -> Iterator[Finding]:
    """Yield roots of the program that the tree does not trust, except those that the store distrusts."""
    held = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    held |= inspection.trust.shipped.keys()
    path = next(output.path for output in inspection.trust.outputs)
    cause = f"is in {PROGRAM}, but is not trusted here (list of {inspection.root_data.date})"
    for root in inspection.root_data.live:
        if root.sha256 not in held and not _on_purpose(inspection, root):
            yield MISSING.found_of(path, root.name, cause, sha256=root.sha256)


def _on_purpose(inspection: Inspection, root: ProgramRoot) -> bool:
    """Return whether a root may be missing on purpose: the config distrusts it, or Mozilla no longer trusts new
    certificates from it.
    """
    distrusted = any(root.sha256 in each.sha256 or root.spki in each.spki for each in inspection.distrust)
    after = root.distrust_after
    return distrusted or bool(after and after.date and after.date <= inspection.at.date())


def _old_root_data(inspection: Inspection, made: date) -> Finding:
    path = next(output.path for output in inspection.trust.outputs)
    days = (inspection.at.date() - made).days
    return OLD.found(path, f"was checked with a table of {made}, which is {days} days old")
