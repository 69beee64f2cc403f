"""Bundles, hash directories and Java's stores held against each other, and against the sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.outputs import BUNDLE, Bundle, HashDirectory, JavaStore, Output
from rootfs_trust.audit.trust import LOCAL, OWN, TrustedAnchor, certificates_of
from rootfs_trust.rootfs.nodes import parent
from rootfs_trust.store.java import refused_by_java
from rootfs_trust.x509 import Certificate

_INSTALL = "run rootfs-trust install --root on the tree, or the distribution's own tool on the device"

NOT_IN_BUNDLE = Kind(
    "not-in-bundle",
    (WARNING, ERROR, NOTE),
    "An anchor that other outputs hold is missing from a bundle",
    "GnuTLS, curl, Go and rustls read the bundle: they refuse servers that OpenSSL with the folder accepts. "
    "An error for anchors that were installed; a note for a server's certificate in a hash directory, as Debian's "
    "ssl-cert puts it there.",
    _INSTALL,
)
NOT_IN_DIRECTORY = Kind(
    "not-in-directory",
    (WARNING, ERROR, NOTE),
    "An anchor that other outputs hold is missing from a hash directory",
    "mosquitto and other programs that give OpenSSL a folder refuse servers that those with the bundle accept. "
    "An error for anchors that were installed; a note for what is no CA and has no source.",
    _INSTALL,
)
NOT_IN_JAVA = Kind(
    "not-in-java",
    (WARNING, NOTE),
    "An anchor that other outputs hold is missing from Java's store",
    "Java programs refuse servers that all others accept. A note for what is no CA and has no source.",
    "run rootfs-trust install --root on the tree; or, on the device, the distribution's tool with a Java installed",
)
JAVA_REFUSES = Kind(
    "java-refuses",
    (NOTE,),
    "Java refuses a certificate that others take",
    "It is left out of Java's store, since one such entry would cost Java the whole store.",
    "get a certificate that is well made, if Java programs need it",
)
JAVA_UNREADABLE = Kind(
    "java-store-unreadable",
    (ERROR,),
    "Java's store cannot be read",
    "Java programs trust nobody, or fail at their first connection.",
    "remove it and run rootfs-trust install --root on the tree, which writes it anew",
)
NOT_IN_STORE = Kind(
    "not-in-store",
    (ERROR, WARNING),
    "A source of the store is in none of its outputs",
    "Somebody put the certificate where the distribution's tool looks for it, and nothing has made the store since: "
    "no client trusts it.",
    _INSTALL,
)
EMPTY = Kind(
    "bundle-empty",
    (ERROR,),
    "A bundle holds no certificate",
    "GnuTLS, curl, Go and rustls trust nobody.",
    _INSTALL,
)
ONE = Kind(
    "bundle-of-one",
    (NOTE,),
    "A bundle in a hash directory holds a single certificate",
    "openssl rehash takes it for a certificate file: a later run on the device adds a hash link to the bundle. "
    "It does no harm, but the tree is not as it was shipped.",
    "nothing has to be done",
)
DUPLICATE = Kind(
    "duplicate",
    (NOTE,),
    "A certificate stands twice in one output",
    "It costs time and memory, and taking the trust away needs both to go.",
    "remove one of the sources that hold it",
)
NO_STORE = Kind(
    "no-store",
    (WARNING,),
    "The tree has no trust store",
    "No bundle, hash directory or Java store stands where a client looks for one: TLS clients trust nobody.",
    "run rootfs-trust install --root on the tree, if programs of the image use TLS",
)
KINDS = (
    NOT_IN_BUNDLE,
    NOT_IN_DIRECTORY,
    NOT_IN_JAVA,
    JAVA_REFUSES,
    JAVA_UNREADABLE,
    NOT_IN_STORE,
    EMPTY,
    ONE,
    DUPLICATE,
    NO_STORE,
)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every output of the tree."""
    if not any(output.certificates for output in inspection.trust.outputs) and not inspection.java_stores:
        yield NO_STORE.found("/", "has no trust store that holds a certificate")
    for bundle in inspection.bundles:
        yield from _bundle(inspection, bundle)
    for store in inspection.java_stores:
        if store.fault:
            yield JAVA_UNREADABLE.found(store.path, store.fault)
    yield from _disagreement(inspection)
    yield from _not_in_store(inspection)


def _bundle(inspection: Inspection, bundle: Bundle) -> Iterator[Finding]:
    counts = Counter(each.sha256 for each in bundle.certificates)
    if bundle.kind == BUNDLE and not counts and inspection.trust.anchors:
        yield EMPTY.found(bundle.path, "holds no certificate")
    if len(bundle.certificates) == 1 and parent(bundle.path) in {each.path for each in inspection.directories}:
        yield ONE.found(bundle.path, "holds one certificate: openssl rehash will give the bundle a hash link")
    subjects = {each.sha256: each.subject.text for each in bundle.certificates}
    for sha256, count in counts.items():
        if count > 1:
            yield DUPLICATE.found(bundle.path, f"holds {subjects[sha256]} {count} times")


def _disagreement(inspection: Inspection) -> Iterator[Finding]:
    tls = [anchor for anchor in inspection.trust.anchors if "server-auth" in anchor.purposes]
    for output in inspection.trust.outputs:
        held = {each.sha256 for each in _there(inspection, output)}
        for anchor in tls if held else ():
            if anchor.certificate.sha256 not in held:
                yield from _not_in(inspection, anchor, output)


def _there(inspection: Inspection, output: Output) -> tuple[Certificate, ...]:
    """What an output holds; a file of a hash directory that lacks its link is told elsewhere."""
    if not isinstance(output, HashDirectory) or not output.links:
        return output.certificates if not isinstance(output, Bundle) or output.kind == BUNDLE else ()
    files = (inspection.trust.files.at(path) for path in output.others)
    bundles = {bundle.path for bundle in inspection.bundles}
    single = (file for file in files if file and file.path not in bundles and len(file.certificates) == 1)
    unreached = (each for link in output.links if link.file for each in link.file.certificates)
    return (*output.certificates, *unreached, *(file.certificates[0] for file in single))


def _not_in(inspection: Inspection, anchor: TrustedAnchor, output: Output) -> Iterator[Finding]:
    level = ERROR if anchor.sources and anchor.origin in (LOCAL, OWN) else WARNING
    if not (anchor.sources or anchor.certificate.is_ca):
        level = NOTE
    lacks = f"lacks {anchor.name} ({', '.join(anchor.outputs)} has it)"
    if isinstance(output, Bundle):
        yield NOT_IN_BUNDLE.found(output.path, lacks, level=level)
    elif isinstance(output, HashDirectory):
        yield NOT_IN_DIRECTORY.found(output.path, lacks, level=level)
    elif isinstance(output, JavaStore) and not output.fault:
        reason = refused_by_java(anchor.certificate)
        if reason:
            yield JAVA_REFUSES.found(inspection.where(anchor), f"{reason}: Java refuses it")
        else:
            yield NOT_IN_JAVA.found(output.path, lacks, level=NOTE if level == NOTE else WARNING)


def _not_in_store(inspection: Inspection) -> Iterator[Finding]:
    """Local sources that no output holds. p11-kit puts nothing but CAs into the outputs for TLS."""
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for sha256, paths in inspection.trust.local.items():
        if sha256 in trusted or not inspection.trust.outputs:
            continue
        file = inspection.trust.files.at(paths[0])
        found = next(each for each in certificates_of(file) if each.sha256 == sha256) if file else None
        left_out = inspection.by_p11kit and found is not None and not found.is_ca
        message = "p11-kit puts only CAs into the store" if left_out else "is in no output of the store"
        yield NOT_IN_STORE.found(paths[0], message, level=WARNING if left_out else ERROR)
