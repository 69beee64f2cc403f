"""Findings about store files that clients look for, but that are absent, empty, of a wrong type or dangling links."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.checks.store_files import JAVA_EMPTY, JAVA_UNREADABLE
from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.store_files import BUNDLE, java_store
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.rootfs.view import Directory, File, Symlink, parent, read
from rootfs_trust.runtimes.find import CASTORE, CERTIFI, JAVA
from rootfs_trust.thin_edge.settings_in_force import has_thin_edge

_BUILD = "rebuild the trust store on the device with the distribution's own tool"

MISSING = FindingType(
    "output-missing",
    (ERROR, WARNING, NOTE),
    "A file or directory that the distribution's tool writes is missing or empty",
    "Programs that read it trust no server. curl, Go, rustls, GnuTLS and most others read the bundle; mosquitto "
    "reads the hash directory. It is a warning for files that are not for TLS servers: those with TRUSTED CERTIFICATE "
    "blocks, for mail, code signing, and HTTPS boot of virtual machines (edk2). It is a note for OpenWrt's bundle, "
    "which is another package, if no known client reads it.",
    _BUILD,
)
DANGLING = FindingType(
    "store-link-dangling",
    (ERROR,),
    "A path where clients look for the trust store is a dangling link",
    "Programs that are built to read this path trust no server.",
    "point the link to the bundle or directory of the root filesystem",
)
TYPE = FindingType(
    "store-wrong-type",
    (ERROR,),
    "A directory is where clients expect a file, or a file where they expect a directory",
    "Programs that read this path trust no server. A container engine creates such a directory if it mounts a "
    "file that does not exist.",
    "delete it, and rebuild the trust store",
)
NO_STORE = FindingType(
    "no-store",
    (WARNING, ERROR),
    "The tree has no trust store",
    "No bundle, hash directory or Java keystore exists where a client looks for one, so TLS clients trust no "
    "server. It is an error if the tree has thin-edge.io, curl or a JDK.",
    "install the distribution's CA certificates or your own CA, if programs in the image use TLS",
)
JDK_MISSING = FindingType(
    "jdk-store-missing",
    (ERROR,),
    "A JDK has no keystore",
    "Its lib/security/cacerts does not exist, or is a dangling link. Its programs trust no server. Debian's JDKs "
    "need ca-certificates-java.",
    "install the package that provides the keystore, or add a keystore",
)
APPLICATION_EMPTY = FindingType(
    "application-store-empty",
    (ERROR,),
    "The store of an application contains no certificate",
    "Its programs trust no server, or fail at their first connection.",
    "reinstall the package of the application",
)
KINDS = (MISSING, DANGLING, TYPE, NO_STORE, JDK_MISSING, APPLICATION_EMPTY)

_FILES = (*well_known_paths.BUNDLES, *well_known_paths.JAVA_STORES)
_CLIENTS = ("/usr/bin/curl", "/usr/local/bin/curl", "/bin/curl")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every path where clients of the tree look for a store."""
    if not any(output.certificates for output in inspection.trust.outputs) and not inspection.java_stores:
        level = ERROR if _has_clients(inspection) else WARNING
        yield NO_STORE.found("/", "has no trust store with a certificate", level=level)
        wrong = (each for each in _wrong(inspection, set()) if each.kind in (DANGLING, TYPE))
        yield from (each for each in wrong if each.path in inspection.layout_outputs)
    else:
        missing = [*_missing_outputs(inspection), *_directory_links(inspection), *_alpine_link(inspection)]
        yield from missing
        yield from _wrong(inspection, {finding.path for finding in missing})
    yield from _applications(inspection)


def _has_clients(inspection: Inspection) -> bool:
    reading = file_reader(inspection.device)
    return bool(has_thin_edge(inspection.view) or reading.first_file(*_CLIENTS) or reading.runtimes.paths(JAVA))


def _missing_outputs(inspection: Inspection) -> Iterator[Finding]:
    """Yield missing or empty paths that the layout's tool writes. Paths not for TLS count if their directory exists."""
    view, told = inspection.view, {bundle.path for bundle in inspection.bundles if bundle.kind == BUNDLE}
    for path in (*inspection.layout_outputs, *_bundle_links(inspection)):
        for_tls = path in (*_FILES, *well_known_paths.HASH_DIRECTORIES)
        level = ERROR if for_tls else WARNING
        kind = view.kind(path)
        if kind is None and view.kind(path, follow=False) is None and (for_tls or view.kind(parent(path)) is Directory):
            optional = (
                inspection.bundle_is_a_package and path in well_known_paths.BUNDLES and not _has_clients(inspection)
            )
            yield MISSING.found(path, "is missing", level=NOTE if optional else level)
            continue
        if kind is File and view.real_path(path) not in told:
            empty = not read(view, path)
        else:
            empty = kind is Directory and path not in _FILES and not view.names(path)
        if empty:
            yield MISSING.found(path, "is empty", level=level)


def _bundle_links(inspection: Inspection) -> list[str]:
    """Yield missing links that programs of a distribution use for its bundle, if their directories exist."""
    links = (path for path in inspection.layout_links if path in well_known_paths.BUNDLES)
    return [path for path in links if inspection.view.kind(parent(path)) is Directory]


def _directory_links(inspection: Inspection) -> Iterator[Finding]:
    """Yield missing links from the distribution's packages through which programs that use /etc/ssl/certs reach the
    hash directory.
    """
    view = inspection.view
    for path in inspection.layout_links:
        gone = path in well_known_paths.HASH_DIRECTORIES and view.kind(path, follow=False) is None
        if gone and view.kind(parent(path)) is Directory:
            yield MISSING.found(path, "is missing", level=WARNING)


def _alpine_link(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding if the link of Alpine's ca-certificates-bundle is missing, which curl and OpenSSL read."""
    path, view = "/etc/ssl/cert.pem", inspection.view
    if inspection.is_alpine and view.kind(path, follow=False) is None:
        level = ERROR if file_reader(inspection.device).first_file(*_CLIENTS) else WARNING
        fix = "create the link of the package ca-certificates-bundle: ln -s certs/ca-certificates.crt etc/ssl/cert.pem"
        yield MISSING.found(path, "is missing; curl and other programs of Alpine read it", level=level, fix=fix)


def _wrong(inspection: Inspection, told: set[str]) -> Iterator[Finding]:
    """Yield dangling links, unless their target has its own finding, and paths of a wrong type."""
    view = inspection.view
    for path in (*_FILES, *well_known_paths.HASH_DIRECTORIES):
        kind, wanted = view.kind(path), File if path in _FILES else Directory
        if kind is None and view.kind(path, follow=False) is Symlink:
            node = view.node(path)
            text = node.points_to if isinstance(node, Symlink) else ""
            if _end(path, text) not in told:
                yield DANGLING.found(path, f"points to {text}, which does not exist")
        elif kind is Directory and wanted is Directory and not view.names(path) and view.real_path(path) not in told:
            yield MISSING.found(path, "is empty", level=WARNING)
        elif kind not in (None, wanted) and view.real_path(path) not in told:
            yield TYPE.found(path, f"is not a {'file' if wanted is File else 'directory'}")


def _end(path: str, text: str) -> str:
    """Return the target of the link at ``path`` as a path of the device."""
    parts: list[str] = []
    for part in (text if text.startswith("/") else f"{parent(path)}/{text}").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _applications(inspection: Inspection) -> Iterator[Finding]:
    """Yield runtimes whose store is missing, unreadable or empty."""
    view, files = inspection.view, inspection.trust.files
    runtimes = file_reader(inspection.device).runtimes
    system = {store.path for store in inspection.java_stores}
    for path in runtimes.paths(JAVA):
        store, real = java_store(files, path), view.real_path(path)
        if store is None:
            yield JDK_MISSING.found(path, _why(inspection, path))
        elif real in system:
            continue
        elif store.fault:
            yield JAVA_UNREADABLE.found(path, store.fault)
        elif not store.certificates:
            yield JAVA_EMPTY.found(path, "contains no certificate")
    for path in (*runtimes.paths(CERTIFI), *runtimes.paths(CASTORE)):
        file = files.at(path)
        if file is None or not file.certificates:
            yield APPLICATION_EMPTY.found(path, "contains no certificate" if file else _why(inspection, path))


def _why(inspection: Inspection, path: str) -> str:
    node = inspection.view.node(path)
    return f"points to {node.points_to}, which is not a file" if isinstance(node, Symlink) else "is missing"
