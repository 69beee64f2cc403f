"""Findings about source files that the distribution's own tool will ignore, drop or lose on its next run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType, remove
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import UNSOURCED, TrustedAnchor, certificates_of
from rootfs_trust.audit.well_known_paths import CONF, LISTED
from rootfs_trust.rootfs.device import DPKG
from rootfs_trust.rootfs.view import File, join, read
from rootfs_trust.store.debian.ca_certificates_conf import Conf, parse_conf
from rootfs_trust.store.selection import selected

UNSOURCED_ANCHOR = FindingType(
    "unsourced",
    (WARNING,),
    "A store file contains an anchor, but no source file does",
    "The distribution's tool generates store files from source files. Its next run on the device drops this anchor.",
    "add the certificate as a file to the anchor source directory, or drop it by rebuilding the trust store",
)
SOURCE_MISSING = FindingType(
    "source-missing",
    (WARNING,),
    "A certificate is listed, but its file does not exist",
    "update-ca-certificates skips it, with a message that is easily overlooked, and removes its old link.",
    "delete the line, or restore the file",
)
STILL_TRUSTED = FindingType(
    "distrusted-yet-trusted",
    (ERROR,),
    "A distrusted certificate is still trusted",
    "A ! line in ca-certificates.conf, p11-kit's blocklist or [store] distrust in rootfs-trust.toml distrusts it."
    " But a store file still contains it, and clients read the store files.",
    "rebuild the trust store; if another source file also contains the certificate, delete that file",
)
LAST_LINE = FindingType(
    "conf-last-line",
    (WARNING,),
    "The last line of ca-certificates.conf has no newline",
    "update-ca-certificates ignores the line.",
    "add a newline to the line",
)
CONF_CRLF = FindingType(
    "conf-crlf",
    (WARNING,),
    "Lines of ca-certificates.conf end with CRLF",
    "update-ca-certificates looks for a file whose name ends with CR, and skips the certificate.",
    "convert the line endings to LF: sed -i 's/\\r$//' etc/ca-certificates.conf in the root filesystem",
)
CONF_MISSING = FindingType(
    "conf-missing",
    (WARNING,),
    "ca-certificates.conf does not exist or lists no certificate, and update-ca-certificates is in the tree",
    "The next run of update-ca-certificates on the device removes every CA of the distribution from the store.",
    "restore the file of the ca-certificates package: the names of the certificates below /usr/share/ca-certificates",
)
IGNORED = FindingType(
    "ignored-source",
    (WARNING,),
    "A file in the anchor source directory has a name that is not read",
    "update-ca-certificates reads only files with the lower-case suffix .crt, and silently ignores others.",
    "rename it to NAME.crt",
)
CLASH = FindingType(
    "name-clash",
    (WARNING,),
    "Two source files have the same name",
    "Both need the same link in the hash directory. Only the last one gets it, and each run of the tool reports "
    "it as added.",
    "rename one of them",
)
POSTINST = FindingType(
    "deferred-postinst",
    (WARNING,),
    "The package of the trust store is configured only at the first boot",
    "Its script rebuilds the store on the device, with the tool and the openssl there. It fails if one of them is"
    " missing or if the file system is read-only.",
    "let the build configure the package (Yocto: with openssl-native)",
)
UNLISTED = FindingType(
    "unlisted-source",
    (WARNING, NOTE),
    "ca-certificates.conf does not list a certificate, although it is next to listed ones",
    "update-ca-certificates does not trust it. It is a note for certificates of Mozilla's list, which a "
    "package installs.",
    "add its name to ca-certificates.conf, or move it to /usr/local/share/ca-certificates",
)
DISTRUST_UNMATCHED = FindingType(
    "distrust-unmatched",
    (NOTE,),
    "[store] distrust or [policy] forbid names a certificate that the tree does not contain",
    "This is expected after the certificate is gone. But a mistyped digest never matches either.",
    "compare the digest with that of the certificate (openssl x509 -fingerprint -sha256)",
)
LEFTOVER = FindingType(
    "leftover-bundle",
    (WARNING,),
    "A run of update-ca-certificates was killed in this tree",
    "The tool appends to the file that it left: the next run copies its content into the bundle.",
    "delete the file",
)
KINDS = (
    UNSOURCED_ANCHOR,
    SOURCE_MISSING,
    STILL_TRUSTED,
    LAST_LINE,
    CONF_CRLF,
    CONF_MISSING,
    IGNORED,
    CLASH,
    POSTINST,
    LEFTOVER,
    UNLISTED,
    DISTRUST_UNMATCHED,
)

_OUR_SOURCES = tuple(f"{folder}/" for folder in (*well_known_paths.LOCAL_SOURCES, *well_known_paths.P11KIT_SOURCES))
_POSTINSTS = ("/etc/rpm-postinsts", "/etc/deb-postinsts", "/etc/ipk-postinsts")
"""Where Yocto keeps scripts for the first boot (run-postinsts of OE-core); names are NUMBER-PACKAGE."""
_TOOL = "/usr/sbin/update-ca-certificates"
_WAITING = ("unpacked", "half-configured", "half-installed", "triggers-pending", "triggers-awaited")


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for the source files and lists of the store."""
    for anchor in inspection.trust.anchors:
        sha256 = anchor.certificate.sha256
        if path := _unsourced(inspection, anchor):
            message = f"contains {anchor.name}, which no source file contains"
            yield UNSOURCED_ANCHOR.found(path, message, sha256=sha256)
        if selected(inspection.distrust, anchor.certificate):
            message = f"contains {anchor.name}, which rootfs-trust.toml distrusts"
            yield STILL_TRUSTED.found(anchor.paths[0], message, sha256=sha256, commands=(remove(sha256),))
    conf = read(inspection.view, CONF)
    if conf is not None and not inspection.uses_p11kit:
        yield from _list(inspection, conf)
    if not inspection.uses_p11kit:
        yield from _without_list(inspection, conf)
    yield from _blocklist_findings(inspection)
    yield from _unmatched_selections(inspection)
    yield from _local(inspection)
    yield from _deferred_configuration(inspection)
    for bundle in inspection.bundles:
        if inspection.view.kind(f"{bundle.path}.new") is File:
            yield LEFTOVER.found(f"{bundle.path}.new", "is left from a killed run")


def _unsourced(inspection: Inspection, anchor: TrustedAnchor) -> str:
    """Return the store file from which the distribution's next run drops the anchor, or an empty string.

    The tool keeps a file that was added to a hash directory by hand, but removes its certificate from the bundle.
    """
    if anchor.origin == UNSOURCED:
        return anchor.paths[0]
    if anchor.sources or anchor.certificate.sha256 not in inspection.trust.by_hand:
        return ""
    written = {inspection.view.real_path(path) for path in inspection.layout_outputs}
    made = (bundle.path for bundle in inspection.bundles if bundle.path in written)
    return next((path for path in made if path in anchor.paths), "")


def _unmatched_selections(inspection: Inspection) -> Iterator[Finding]:
    trust = inspection.trust
    held = [anchor.certificate for anchor in trust.trusted]
    for wanted, setting in ((inspection.distrust, "[store] distrust"), (inspection.policy.forbid, "[policy] forbid")):
        for each in wanted:
            held_by_sources = (certificate for certificate, _ in trust.sources)
            if each.sha256 & inspection.blocked.keys() or any(map(each.matches, (*held, *held_by_sources))):
                continue
            sha256 = next(iter(each.sha256)) if len(each.sha256) == 1 else ""
            yield DISTRUST_UNMATCHED.found(
                "/", f"{setting} names {each.text}, which the tree does not contain", sha256=sha256
            )


def _unlisted(inspection: Inspection, conf: Conf) -> Iterator[Finding]:
    known = {join(LISTED, name) for name in (*conf.trusted, *conf.distrusted)}
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for path in inspection.trust.files.below(LISTED):
        file = inspection.trust.files.at(path)
        meant = file and path.endswith(".crt") and path not in known and not path.startswith(_OUR_SOURCES)
        if meant and file and not trusted.issuperset(each.sha256 for each in certificates_of(file)):
            level = NOTE if path.startswith(f"{LISTED}/mozilla/") else WARNING
            yield UNLISTED.found(path, f"{CONF} does not list it", level=level)


def _without_list(inspection: Inspection, conf: bytes | None) -> Iterator[Finding]:
    """Yield a finding if the next run of the device's tool drops every certificate of the distribution."""
    if inspection.view.kind(_TOOL) is not File or (conf is not None and parse_conf(conf).trusted):
        return
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    shipped = (paths for sha256, paths in inspection.trust.shipped.items() if conf is None or sha256 in trusted)
    count = sum(path.startswith(f"{LISTED}/") for paths in shipped for path in paths)
    if count and trusted:
        absent = inspection.view.kind(CONF, follow=False) is None
        fault = "lists no certificate" if conf is not None else "does not exist" if absent else "is not a file"
        yield CONF_MISSING.found(CONF, f"{fault}, and {count} certificates are below {LISTED}")


def _list(inspection: Inspection, data: bytes) -> Iterator[Finding]:
    conf = parse_conf(data)
    if conf.unterminated:
        yield LAST_LINE.found(CONF, "its last line has no newline")
    if b"\r\n" in data:
        yield CONF_CRLF.found(CONF, "has lines that end with CRLF")
        return
    for name in conf.trusted:
        if inspection.view.kind(join(LISTED, name)) is not File:
            yield SOURCE_MISSING.found(join(LISTED, name), f"is listed in {CONF}, but does not exist")
    yield from _distrusted_in_conf(inspection, conf)
    yield from _unlisted(inspection, conf)


def _distrusted_in_conf(inspection: Inspection, conf: Conf) -> Iterator[Finding]:
    trusted_sources = {join(LISTED, name) for name in conf.trusted}
    for name in conf.distrusted:
        path = join(LISTED, name)
        if path in trusted_sources:
            message = f"a line of {CONF} distrusts it, but another line lists it, so update-ca-certificates trusts it"
            yield STILL_TRUSTED.found(path, message, fix=f"delete one of the two lines of {CONF}")
        reason = f"a line of {CONF} distrusts it"
        yield from _still_trusted(
            inspection, path, reason, lambda sha256: (*trusted_sources, *inspection.trust.local.get(sha256, ()))
        )


def _blocklist_findings(inspection: Inspection) -> Iterator[Finding]:
    for folder in well_known_paths.P11KIT_SOURCES:
        for name in well_known_paths.BLOCKLISTS:
            for path in inspection.trust.files.below(join(folder, name)):
                yield from _still_trusted(inspection, path, "p11-kit's blocklist contains it", lambda _: ())


def _still_trusted(
    inspection: Inspection, path: str, reason: str, others: Callable[[str], Iterable[str]]
) -> Iterator[Finding]:
    """Yield the certificates of ``path`` that a store file contains.

    ``others``: a certificate's SHA-256 gives the source files for which the distribution's tool trusts it anyway.
    """
    file = inspection.trust.files.at(path)
    holders = {anchor.certificate.sha256: anchor for anchor in inspection.trust.anchors}
    for certificate in certificates_of(file) if file else ():
        anchor = holders.get(certificate.sha256)
        if anchor and not set(others(certificate.sha256)).intersection(anchor.sources):
            message = f"{reason}, and {', '.join(anchor.paths)} still contains it"
            yield STILL_TRUSTED.found(path, message)


def _local(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for the anchor source directory of Debian-like tools. Alpine's tool reads files of any name."""
    paths = list(inspection.trust.files.below(well_known_paths.DEBIAN_LOCAL))
    for path in paths if not inspection.is_flat else ():
        file = inspection.trust.files.at(path)
        if file and not path.endswith(".crt") and certificates_of(file):
            yield IGNORED.found(path, "does not end in .crt, so update-ca-certificates does not read it")
    yield from _clashes(inspection, [path for path in paths if path.endswith(".crt")])


def _clashes(inspection: Inspection, local: list[str]) -> Iterator[Finding]:
    conf = read(inspection.view, CONF)
    listed = [join(LISTED, name) for name in parse_conf(conf or b"").trusted]
    first: dict[str, str] = {}
    for path in [path for path in listed if inspection.view.kind(path) is File] + local:
        name = path.rpartition("/")[2]
        if first.setdefault(name, path) != path:
            yield CLASH.found(path, f"has the same link name as {first[name]}")


def _deferred_configuration(inspection: Inspection) -> Iterator[Finding]:
    view = inspection.view
    for folder in _POSTINSTS:
        for name in view.names(folder):
            if name.partition("-")[2] == "ca-certificates" or name == "ca-certificates":
                yield POSTINST.found(join(folder, name), "runs at the first boot")
    package = inspection.device.packages.get("ca-certificates")
    if package and package.database == DPKG:
        words = next((line.split() for line in package.stanza.split("\n") if line.startswith("Status: ")), [])
        if words[-1:] and words[-1] in _WAITING:
            yield POSTINST.found(DPKG, f"ca-certificates is {words[-1]}; it will be configured on the device")
