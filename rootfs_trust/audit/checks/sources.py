"""What the distribution's own tool would make of the store when it runs next on the device."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import places
from rootfs_trust.audit.findings import ERROR, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trust import UNSOURCED, certificates_of
from rootfs_trust.rootfs.nodes import File, join, read
from rootfs_trust.store.debian.conf import Conf, parse_conf

CONF, CONF_FOLDER = "/etc/ca-certificates.conf", "/usr/share/ca-certificates"
LOCAL = "/usr/local/share/ca-certificates"

UNSOURCED_ANCHOR = Kind(
    "unsourced",
    (WARNING,),
    "An anchor stands in an output, and no source of the store holds it",
    "The distribution's tool makes the outputs from the sources: its next run on the device drops this anchor.",
    "give the certificate to rootfs-trust install --cert, or take it out with rootfs-trust install --drop-unsourced",
)
SOURCE_MISSING = Kind(
    "source-missing",
    (WARNING,),
    "A certificate is listed, and its file is not there",
    "update-ca-certificates leaves it out, with a message that nobody reads, and takes its old link away.",
    "take the line out, or bring the file back",
)
STILL_TRUSTED = Kind(
    "distrusted-yet-trusted",
    (ERROR,),
    "A certificate that is distrusted is trusted still",
    "A ! line of ca-certificates.conf, p11-kit's blocklist or [store] distrust of rootfs-trust.toml takes the trust "
    "away, and an output still holds it: clients go by the outputs.",
    "run rootfs-trust install --root on the tree; rootfs-trust remove sha256:HEX takes every copy",
)
LAST_LINE = Kind(
    "conf-last-line",
    (WARNING,),
    "The last line of ca-certificates.conf has no newline",
    "update-ca-certificates does not see the line.",
    "end the line",
)
CONF_CRLF = Kind(
    "conf-crlf",
    (WARNING,),
    "ca-certificates.conf has lines that end with CRLF",
    "update-ca-certificates looks for a file whose name ends with CR, and leaves the certificate out.",
    "let the lines end with LF",
)
IGNORED = Kind(
    "ignored-source",
    (WARNING,),
    "A certificate stands in the local folder under a name that is not read",
    "update-ca-certificates reads files whose names end in .crt, in small letters, and says nothing of others.",
    "rename it to NAME.crt",
)
CLASH = Kind(
    "name-clash",
    (WARNING,),
    "Two sources have the same name",
    "Both want the same link in the hash directory: only the last one gets it, and at each run of the tool it counts "
    "as added again.",
    "rename one of them",
)
POSTINST = Kind(
    "deferred-postinst",
    (WARNING,),
    "The package of the trust store is configured at the first boot only",
    "Its script makes the store anew on the device, with the tool and the openssl that are there: where one of them "
    "is missing or the file system is read-only, it fails.",
    "let the build configure the package (Yocto: with openssl-native), and run rootfs-trust install after that",
)
LEFTOVER = Kind(
    "leftover-bundle",
    (WARNING,),
    "A run of update-ca-certificates was killed in this tree",
    "It appends to what it left behind: the next run copies it into the bundle.",
    "remove the file",
)
KINDS = (
    UNSOURCED_ANCHOR,
    SOURCE_MISSING,
    STILL_TRUSTED,
    LAST_LINE,
    CONF_CRLF,
    IGNORED,
    CLASH,
    POSTINST,
    LEFTOVER,
)

_POSTINSTS = ("/etc/rpm-postinsts", "/etc/deb-postinsts", "/etc/ipk-postinsts")
"""Where Yocto keeps scripts for the first boot (run-postinsts of OE-core); names are NUMBER-PACKAGE."""
_DPKG = "/var/lib/dpkg/status"
_WAITING = ("unpacked", "half-configured", "half-installed", "triggers-pending", "triggers-awaited")


def check(inspection: Inspection) -> Iterator[Finding]:
    """The sources and the lists of the store."""
    for anchor in inspection.trust.anchors:
        if anchor.origin == UNSOURCED:
            yield UNSOURCED_ANCHOR.found(anchor.paths[0], f"holds {anchor.name}, which no source of the tree holds")
        if anchor.certificate.sha256 in inspection.distrust:
            yield STILL_TRUSTED.found(anchor.paths[0], f"holds {anchor.name}, which rootfs-trust.toml distrusts")
    conf = read(inspection.view, CONF)
    if conf is not None and not inspection.by_p11kit:
        yield from _list(inspection, conf)
    yield from _blocked(inspection)
    yield from _local(inspection)
    yield from _deferred(inspection)
    for bundle in inspection.bundles:
        if inspection.view.kind(f"{bundle.path}.new") is File:
            yield LEFTOVER.found(f"{bundle.path}.new", "is left of a run that was killed")


def _list(inspection: Inspection, data: bytes) -> Iterator[Finding]:
    conf = parse_conf(data)
    if conf.unterminated:
        yield LAST_LINE.found(CONF, "its last line has no newline")
    if b"\r\n" in data:
        yield CONF_CRLF.found(CONF, "has lines that end with CRLF")
        return
    for name in conf.trusted:
        if inspection.view.kind(join(CONF_FOLDER, name)) is not File:
            yield SOURCE_MISSING.found(join(CONF_FOLDER, name), f"is listed in {CONF}, but is not there")
    yield from _crossed_out(inspection, conf)


def _crossed_out(inspection: Inspection, conf: Conf) -> Iterator[Finding]:
    trusted_sources = {join(CONF_FOLDER, name) for name in conf.trusted}
    for name in conf.distrusted:
        path = join(CONF_FOLDER, name)
        yield from _trusted_all_the_same(inspection, path, f"a line of {CONF} distrusts it", trusted_sources)


def _blocked(inspection: Inspection) -> Iterator[Finding]:
    for folder in places.P11KIT_SOURCES:
        for name in places.BLOCKLISTS:
            for path in inspection.trust.files.below(join(folder, name)):
                yield from _trusted_all_the_same(inspection, path, "p11-kit's blocklist has it", set())


def _trusted_all_the_same(inspection: Inspection, path: str, reason: str, listed: set[str]) -> Iterator[Finding]:
    """Certificates of ``path`` that an output holds, unless some other source asks for them."""
    file = inspection.trust.files.at(path)
    holders = {anchor.certificate.sha256: anchor for anchor in inspection.trust.anchors}
    for certificate in certificates_of(file) if file else ():
        anchor = holders.get(certificate.sha256)
        if anchor and not listed.union(inspection.trust.local.get(certificate.sha256, ())).intersection(anchor.sources):
            message = f"{reason}, and {', '.join(anchor.paths)} still holds it"
            yield STILL_TRUSTED.found(path, message)


def _local(inspection: Inspection) -> Iterator[Finding]:
    """The local folder of the tools that descend from Debian's; Alpine's reads files of any name."""
    paths = list(inspection.trust.files.below(LOCAL))
    flat = inspection.view.kind("/etc/alpine-release") is File
    for path in paths if not flat else ():
        file = inspection.trust.files.at(path)
        if file and not path.endswith(".crt") and certificates_of(file):
            yield IGNORED.found(path, "does not end in .crt, so update-ca-certificates does not read it")
    yield from _clashes(inspection, [path for path in paths if path.endswith(".crt")])


def _clashes(inspection: Inspection, local: list[str]) -> Iterator[Finding]:
    conf = read(inspection.view, CONF)
    listed = [join(CONF_FOLDER, name) for name in parse_conf(conf or b"").trusted]
    first: dict[str, str] = {}
    for path in [path for path in listed if inspection.view.kind(path) is File] + local:
        name = path.rpartition("/")[2]
        if first.setdefault(name, path) != path:
            yield CLASH.found(path, f"has the name of {first[name]}")


def _deferred(inspection: Inspection) -> Iterator[Finding]:
    view = inspection.view
    for folder in _POSTINSTS:
        for name in view.names(folder):
            if name.partition("-")[2] == "ca-certificates" or name == "ca-certificates":
                yield POSTINST.found(join(folder, name), "runs at the first boot")
    for stanza in (read(view, _DPKG) or b"").split(b"\n\n"):
        lines = stanza.decode("utf-8", "replace").strip("\n").split("\n")
        if lines[0] == "Package: ca-certificates":
            words = next((line.split() for line in lines if line.startswith("Status: ")), [])
            if words[-1:] and words[-1] in _WAITING:
                yield POSTINST.found(_DPKG, f"ca-certificates is {words[-1]}: it is configured on the device")
