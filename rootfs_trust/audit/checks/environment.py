"""Findings about variables that take a program's public roots away."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.findings import NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import DISTRIBUTION
from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.table import VARIABLES

FEW_ROOTS = FindingType(
    "environment-few-roots",
    (WARNING, NOTE),
    "A variable names a bundle with hardly any of the distribution's roots",
    "The variable replaces the roots of the programs that read it. They refuse every server whose CA is not in the "
    "bundle. A note if the variable is set for one service, which may need no other server.",
    "add the CA to the system's trust store, and name the system's bundle",
)
KINDS = (FEW_ROOTS,)

_OTHERS = ("SSL_CERT_DIR", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_REPLACING = tuple(each.name for each in VARIABLES if not each.adds and each.name not in _OTHERS)
"""Variables whose value is a bundle that replaces the roots of a program."""

_FEW = 10
"""A bundle has few roots if it has fewer than one in ten of the distribution's."""
_OF_A_SERVICE = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/default/")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each place that sets such a variable to such a bundle."""
    shipped = {each.certificate.sha256 for each in inspection.trust.anchors if each.origin == DISTRIBUTION}
    shipped |= inspection.trust.shipped.keys()
    reading = FileReader(inspection.device)
    for name in _REPLACING:
        for path, place in variable(reading, name):
            file = inspection.trust.files.at(path)
            held = {each.sha256 for each in file.certificates} if file else set()
            if held and len(held & shipped) * _FEW < len(shipped):
                yield _found(name, path, place, len(held), len(shipped))


def _found(name: str, path: str, place: str, held: int, shipped: int) -> Finding:
    roots = "1 root" if held == 1 else f"{held} roots"
    message = f"sets {name} to {path}, which contains {roots}; the distribution ships {shipped}"
    return FEW_ROOTS.found(place, message, level=NOTE if place.startswith(_OF_A_SERVICE) else WARNING)
