"""Findings about environment variables that make a program lose its public roots, or all of its roots."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.findings import NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import DISTRIBUTION
from rootfs_trust.clients.environment_variables import variable
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.clients.table import VARIABLES
from rootfs_trust.rootfs.view import Directory, File, join

FEW_ROOTS = FindingType(
    "environment-few-roots",
    (WARNING, NOTE),
    "A variable names a bundle with hardly any of the distribution's roots",
    "The variable replaces the roots of the programs that read it. They refuse every server whose CA is not in the "
    "bundle. It is a note if the variable is set for one service, which may need no other server.",
    "add the CA to the system's trust store, and name the system's bundle",
)
NO_ROOTS = FindingType(
    "environment-no-roots",
    (WARNING, NOTE),
    "A variable names a bundle or directory without any certificate",
    "The programs that read the variable trust no server. Most of them say only that the issuer is unknown. It is a "
    "note if the variable is set for one service, or the path is in a directory that is filled at run time.",
    "delete the variable, or let it name a bundle or directory of the root filesystem",
)
KINDS = (FEW_ROOTS, NO_ROOTS)

_DIRECTORIES = "SSL_CERT_DIR"
_OTHERS = (_DIRECTORIES, "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_REPLACING = tuple(each.name for each in VARIABLES if not each.adds and each.name not in _OTHERS)
"""Variables whose value is a bundle that replaces the roots of a program."""

_FEW = 10
"""A bundle has few roots if it has fewer than one in ten of the distribution's."""
_OF_A_SERVICE = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/default/")
_AT_RUN_TIME = ("/run/", "/var/run/", "/mnt/", "/media/", "/proc/", "/dev/")
_ELSEWHERE = frozenset((*well_known_paths.BUNDLES, *well_known_paths.HASH_DIRECTORIES))
"""Paths whose absence another finding reports."""


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each place that sets such a variable to such a bundle."""
    shipped = {each.certificate.sha256 for each in inspection.trust.anchors if each.origin == DISTRIBUTION}
    shipped |= inspection.trust.shipped.keys()
    reading = file_reader(inspection.device)
    for name in _REPLACING:
        for path, place in variable(reading, name):
            file = inspection.trust.files.at(path)
            held = {each.sha256 for each in file.certificates} if file else set()
            if held and len(held & shipped) * _FEW < len(shipped):
                yield _found(name, path, place, len(held), len(shipped))
            if not held and path not in _ELSEWHERE and _is_plain(path):
                yield _without(name, path, place, _fault_of_file(inspection, path))
    for value, place in variable(reading, _DIRECTORIES):
        paths = [path for path in value.split(":") if path]
        faults = [_fault_of_directory(inspection, path) for path in paths]
        if faults and all(faults) and all(_is_plain(path) and path not in _ELSEWHERE for path in paths):
            yield _without(_DIRECTORIES, value, place, faults[0])


def _is_plain(path: str) -> bool:
    """Return whether the value is a path, not an expression of a shell or systemd."""
    return path.startswith("/") and not any(sign in path for sign in "$`%*")


def _fault_of_file(inspection: Inspection, path: str) -> str:
    kind = inspection.view.kind(path)
    if kind is File:
        return "contains no certificate"
    return "does not exist" if kind is None else "is not a file"


def _fault_of_directory(inspection: Inspection, path: str) -> str:
    """Describe what is wrong with a directory, or return an empty string. A directory with any file is correct, because
    Go reads all names.
    """
    kind, view = inspection.view.kind(path), inspection.view
    if kind is not Directory:
        return "does not exist" if kind is None else "is not a directory"
    return "" if any(view.kind(join(path, name)) is File for name in view.names(path)) else "contains no file"


def _without(name: str, path: str, place: str, fault: str) -> Finding:
    note = place.startswith(_OF_A_SERVICE) or path.startswith(_AT_RUN_TIME)
    return NO_ROOTS.found(place, f"sets {name} to {path}, which {fault}", level=NOTE if note else WARNING)


def _found(name: str, path: str, place: str, held: int, shipped: int) -> Finding:
    roots = "1 root" if held == 1 else f"{held} roots"
    message = f"sets {name} to {path}, which contains {roots}; the distribution ships {shipped}"
    return FEW_ROOTS.found(place, message, level=NOTE if place.startswith(_OF_A_SERVICE) else WARNING)
