"""Compare the public roots that a cloud documents with what the clients trust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.errors import InputError
from rootfs_trust.inputs.root_data import LEAVING, OPTIONAL, REQUIRED, CloudRoot
from rootfs_trust.rootfs.view import Directory, join
from rootfs_trust.thin_edge.settings_in_force import cloud_roots_by_default, found_settings, main_file
from rootfs_trust.thin_edge.trust_settings import CLOUDS
from rootfs_trust.x509 import Certificate

MISSING = FindingType(
    "cloud-root-missing",
    (ERROR, WARNING, NOTE),
    "A root that the cloud documents is not trusted",
    "thin-edge.io's settings, rootfs-trust.toml or --cloud name AWS IoT or Azure IoT. It is an error if devices cannot "
    "connect today without the root. It is a warning if the cloud may move to it at any time, or if another trusted "
    "root cross-signs it. It is a note if only some connections use it. Cumulocity documents no roots, because each "
    "instance may have another CA.",
    "get the root from its CA, compare its SHA-256, and install it",
)
ENDS = FindingType(
    "cloud-root-ends",
    (NOTE,),
    "The cloud is leaving a trusted root",
    "From that day on, clients do not trust chains that end at this root. Devices need its successors before then.",
    "also install the other roots that the cloud documents",
)
KINDS = (MISSING, ENDS)


class _Connection(NamedTuple):
    """A cloud, the file or directory that its clients read, and the certificates that they trust."""

    cloud: str
    path: str
    certificates: tuple[Certificate, ...]


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for each cloud. A cloud of thin-edge.io's settings trusts the path that its setting names; other
    clouds use the whole store.
    """
    found = dict.fromkeys(_of_settings(inspection))
    named = {each.cloud for each in found}
    for connection in (*found, *_of_the_store(inspection, named)):
        if connection.certificates:
            yield from _cloud_findings(inspection, connection)


def _of_settings(inspection: Inspection) -> Iterator[_Connection]:
    """Yield the clouds of thin-edge.io's settings. Malformed files and missing paths are skipped, because other
    findings report them.
    """
    view = inspection.view
    try:
        main, settings = main_file(view), found_settings(view)
        by_default = tuple(cloud_roots_by_default(view, settings, main)) if main else ()
    except InputError:
        return
    for setting in (*settings, *by_default):
        cloud = setting.key.partition(".")[0]
        if cloud in CLOUDS and setting.key.endswith(".root_cert_path"):
            yield _Connection(cloud, setting.value, tuple(_held_at(inspection, setting.value)))


def _held_at(inspection: Inspection, path: str) -> Iterator[Certificate]:
    view = inspection.view
    paths = [join(path, name) for name in view.names(path)] if view.kind(path) is Directory else [path]
    for file in dict.fromkeys(map(inspection.trust.files.at, paths)):
        yield from file.certificates if file else ()


def _of_the_store(inspection: Inspection, without: set[str]) -> Iterator[_Connection]:
    path = next((output.path for output in inspection.trust.outputs), "/")
    trusted = tuple(anchor.certificate for anchor in inspection.trust.trusted)
    for cloud in inspection.clouds:
        if cloud not in without:
            yield _Connection(cloud, path, trusted)


def _cloud_findings(inspection: Inspection, connection: _Connection) -> Iterator[Finding]:
    # Compare keys: the constrained copy of a root has another digest.
    held = {each.key_sha256 for each in connection.certificates}
    roots = [each for each in inspection.root_data.cloud_roots if each.cloud == connection.cloud]
    leaving = [each for each in roots if each.need == LEAVING and each.spki in held]
    for root in roots:
        if root.need != LEAVING and root.spki not in held:
            yield _missing_root(inspection, connection, root, leaving)
    for root in leaving:
        yield _ends(connection, root)


def _missing_root(
    inspection: Inspection, connection: _Connection, root: CloudRoot, leaving: Iterable[CloudRoot]
) -> Finding:
    crossed = [each for each in leaving if root.sha256 in each.vouches_for]
    still = [each for each in crossed if each.until and each.until > inspection.at.date()]
    level = {REQUIRED: ERROR, OPTIONAL: NOTE}.get(root.need, WARNING)
    if level == ERROR and still:
        level = WARNING
    until = f"; {still[0].name}, which cross-signs it, is enough until {still[0].until}" if still else ""
    message = (
        f"{CLOUDS[root.cloud]} needs {root.name} (sha256 {root.sha256}), which {root.what}{until} ({_source(root)})"
    )
    return MISSING.found(connection.path, message, level=level, sha256=root.sha256)


def _ends(connection: _Connection, root: CloudRoot) -> Finding:
    until = f" until {root.until}" if root.until else " for some time"
    message = f"{root.name} (sha256 {root.sha256}), which {root.what}, is trusted by clients{until} only"
    return ENDS.found(connection.path, f"{message} ({_source(root)})", sha256=root.sha256)


def _source(root: CloudRoot) -> str:
    return f"{root.documented.source}, {root.documented.date}"
