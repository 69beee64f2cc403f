"""Findings about constrained anchors that are also trusted without their name constraints."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.findings import ERROR, Command, Finding, FindingType, remove, remove_from
from rootfs_trust.audit.ignored_constraints import bypasses
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import APPLICATION, TrustedAnchor
from rootfs_trust.runtimes.names import NAMES as RUNTIMES
from rootfs_trust.x509.constrained import original_of

BYPASSED = FindingType(
    "fence-bypassed",
    (ERROR,),
    "A constrained CA is also trusted without its constraints",
    "Clients use whichever certificate of the CA they find. The name constraints of one have no effect while "
    "another with the same key is trusted without them.",
    "delete the unconstrained certificate from its source file or from the store of the runtime, and rebuild the trust "
    "store",
)

KINDS = (BYPASSED,)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each anchor with the key and subject of a constrained one, but other constraints."""
    anchors = inspection.trust.trusted
    constrained = [each for each in anchors if original_of(each.certificate) is not None]
    for fence in constrained:
        for anchor in anchors:
            if bypasses(anchor.certificate, fence.certificate):
                yield _same_key_finding(inspection, anchor, fence)


def _same_key_finding(inspection: Inspection, anchor: TrustedAnchor, fence: TrustedAnchor) -> Finding:
    sha256 = anchor.certificate.sha256
    message = (
        f"{anchor.name} (sha256 {sha256}) has the key of {fence.name}, which is constrained to some names, and is not "
        "constrained to them"
    )
    return BYPASSED.found(inspection.where(anchor), message, sha256=sha256, commands=_commands(anchor))


def _commands(anchor: TrustedAnchor) -> tuple[Command, ...]:
    """Return the commands that remove the unconstrained certificate from the system's store, or from the stores of
    runtimes.
    """
    sha256 = anchor.certificate.sha256
    if anchor.origin != APPLICATION:
        return (remove(sha256),)
    runtimes = (client.partition(":")[0] for client in anchor.clients)
    return tuple(remove_from(sha256, runtime) for runtime in dict.fromkeys(runtimes) if runtime in RUNTIMES)
