"""Findings about bundles, hash directories and Java keystores, compared with each other and with the source files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.store_files import BUNDLE, Bundle, HashDirectory, JavaStore, Output
from rootfs_trust.audit.trusted_anchors import LOCAL, OWN, TrustedAnchor, certificates_of
from rootfs_trust.rootfs.view import parent, read
from rootfs_trust.store.checksum_files import checksum, checksum_file_of
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.x509 import Certificate

_INSTALL = "rebuild the trust store on the device with the distribution's own tool"

NOT_IN_BUNDLE = FindingType(
    "not-in-bundle",
    (WARNING, ERROR, NOTE),
    "A bundle lacks an anchor that other store files contain",
    "GnuTLS, curl, Go and rustls read the bundle. They refuse servers that OpenSSL with the hash directory "
    "accepts. It is an error for installed anchors. It is a note for a server's certificate in a hash directory, where "
    "Debian's ssl-cert puts it.",
    _INSTALL,
)
NOT_IN_DIRECTORY = FindingType(
    "not-in-directory",
    (WARNING, ERROR, NOTE),
    "A hash directory lacks an anchor that other store files contain",
    "mosquitto and other programs that use OpenSSL with a directory refuse servers that others accept. An error "
    "for installed anchors. It is a note for a certificate that is not a CA and has no source file.",
    _INSTALL,
)
NOT_IN_JAVA = FindingType(
    "not-in-java",
    (WARNING, NOTE),
    "Java's keystore lacks an anchor that other store files contain",
    "Java programs refuse servers that all other programs accept. It is a note for a certificate that is not a CA and "
    "has no source file.",
    "import the anchor with keytool on the device, or rebuild the keystore with the distribution's own tool",
)
JAVA_REFUSES = FindingType(
    "java-refuses",
    (NOTE,),
    "Java refuses a certificate that other clients accept",
    "The certificate is not in Java's keystore, because one such entry makes the whole keystore unusable.",
    "get a well-formed certificate, if Java programs need it",
)
JAVA_UNREADABLE = FindingType(
    "java-store-unreadable",
    (ERROR,),
    "Java's keystore cannot be read",
    "Java programs trust no server, or fail at their first connection.",
    "replace it with a keystore (JKS or PKCS #12) that Java can read",
)
JAVA_EMPTY = FindingType(
    "java-store-empty",
    (ERROR,),
    "Java's keystore contains no certificate",
    "Java programs fail at their first connection: the trustAnchors parameter must be non-empty.",
    "import the anchors with keytool on the device, or rebuild the keystore with the distribution's own tool",
)
NOT_IN_STORE = FindingType(
    "not-in-store",
    (ERROR, WARNING),
    "The certificate of a source file is in no store file",
    "Somebody added a source file, but the trust store was not rebuilt since. No client trusts the certificate.",
    _INSTALL,
)
APART = FindingType(
    "bundle-apart",
    (WARNING, ERROR),
    "A bundle that no tool updates lacks an anchor",
    "The distribution's tool writes another file. Programs that read this one refuse servers that others accept. "
    "It is an error for installed anchors.",
    "replace it with a link to the bundle that the distribution's tool writes",
)
BY_HAND = FindingType(
    "only-in-directory",
    (WARNING,),
    "A CA was added to a hash directory by hand",
    "Only programs that use OpenSSL with the directory, and those that read every file in it, trust the CA. curl,"
    " GnuTLS, Java and others read store files that do not contain it.",
    "install the file as an anchor, so that every store file contains it",
)
EMPTY = FindingType(
    "bundle-empty",
    (ERROR,),
    "A bundle contains no certificate",
    "GnuTLS, curl, Go and rustls trust no server.",
    _INSTALL,
)
ONE = FindingType(
    "bundle-of-one",
    (NOTE,),
    "A bundle in a hash directory contains a single certificate",
    "openssl rehash treats the bundle as a certificate file, so a later run on the device adds a hash link to it."
    " This is harmless, but changes the tree.",
    "no action is needed",
)
DUPLICATE = FindingType(
    "duplicate",
    (NOTE,),
    "One store file contains the same certificate twice",
    "It costs time and memory. To distrust the certificate, both copies must be removed.",
    "delete one of the source files that contain it",
)
STALE_CHECKSUM = FindingType(
    "checksum-stale",
    (WARNING,),
    "The checksum that apko wrote for a store file does not match",
    "Scanners compare the store with this checksum, and report an image that was changed after its build.",
    "find out who changed the store; if the change was intended, update the checksum with sha256sum",
)
KINDS = (
    STALE_CHECKSUM,
    NOT_IN_BUNDLE,
    NOT_IN_DIRECTORY,
    NOT_IN_JAVA,
    JAVA_REFUSES,
    JAVA_UNREADABLE,
    JAVA_EMPTY,
    NOT_IN_STORE,
    APART,
    BY_HAND,
    EMPTY,
    ONE,
    DUPLICATE,
)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every store file of the tree."""
    for bundle in inspection.bundles:
        yield from _bundle(inspection, bundle)
    for store in inspection.java_stores:
        yield from _java(inspection, store)
    yield from _checksums(inspection)
    yield from _disagreement(inspection)
    yield from _not_in_store(inspection)


def _checksums(inspection: Inspection) -> Iterator[Finding]:
    for output in inspection.trust.outputs:
        file = inspection.trust.files.at(output.path)
        path = checksum_file_of(output.path)
        beside = read(inspection.view, path) if file else None
        if file and beside is not None and beside != checksum(output.path, file.data):
            yield STALE_CHECKSUM.found(path, f"is not the checksum of {output.path}")


def _java(inspection: Inspection, store: JavaStore) -> Iterator[Finding]:
    path = store.called(inspection.view)
    if store.fault and path != store.path:
        fix = f"delete the link {path}, or point it to a keystore (JKS or PKCS #12)"
        yield JAVA_UNREADABLE.found(path, f"points to {store.path}, which is not a keystore", fix=fix)
    elif store.fault:
        yield JAVA_UNREADABLE.found(path, store.fault)
    elif not store.certificates:
        yield JAVA_EMPTY.found(path, "contains no certificate")


def _bundle(inspection: Inspection, bundle: Bundle) -> Iterator[Finding]:
    counts = Counter(each.sha256 for each in bundle.certificates)
    if bundle.kind == BUNDLE and not counts and inspection.trust.anchors:
        yield EMPTY.found(bundle.path, "contains no certificate")
    if len(bundle.certificates) == 1 and parent(bundle.path) in {each.path for each in inspection.directories}:
        yield ONE.found(
            bundle.path, "contains one certificate, so openssl rehash will create a hash link for the bundle"
        )
    subjects = {each.sha256: each.subject.text for each in bundle.certificates}
    for sha256, count in counts.items():
        if count > 1:
            yield DUPLICATE.found(bundle.path, f"contains {subjects[sha256]} {count} times")


def _disagreement(inspection: Inspection) -> Iterator[Finding]:
    tls = [anchor for anchor in inspection.trust.anchors if "server-auth" in anchor.purposes]
    by_hand = [anchor for anchor in tls if _is_by_hand(inspection, anchor)]
    for anchor in by_hand:
        lacking = [output.path for output in inspection.trust.outputs if _lacks_by_hand(output, anchor)]
        if lacking:
            message = f"{anchor.name} is not in {', '.join(lacking)}"
            path = inspection.trust.by_hand[anchor.certificate.sha256]
            yield BY_HAND.found(path, message, sha256=anchor.certificate.sha256)
    for output in inspection.trust.outputs:
        held = {each.sha256 for each in _certificates_in(inspection, output)}
        dangling, complete = _dangling_hashes(output), _has_most(output, tls)
        for anchor in _expected_anchors(inspection, output, tls) if held else ():
            if anchor in by_hand or (
                isinstance(output, HashDirectory | JavaStore) and _is_of_several(inspection, anchor)
            ):
                continue
            if anchor.certificate.sha256 not in held and anchor.certificate.subject.hash not in dangling:
                yield from _not_in(inspection, anchor, output, complete=complete)


def _is_by_hand(inspection: Inspection, anchor: TrustedAnchor) -> bool:
    """Return whether a CA was added to a hash directory by hand and has no source file."""
    return not anchor.sources and anchor.certificate.is_ca and anchor.certificate.sha256 in inspection.trust.by_hand


def _is_of_several(inspection: Inspection, anchor: TrustedAnchor) -> bool:
    """Return whether each source file of the anchor contains several certificates, which another finding reports."""
    if inspection.uses_p11kit or not anchor.sources:
        return False
    files = (inspection.trust.files.at(path) for path in anchor.sources)
    return all(len(file.certificates) > 1 for file in files if file)


def _lacks_by_hand(output: Output, anchor: TrustedAnchor) -> bool:
    held = {each.sha256 for each in output.certificates}
    for_servers = isinstance(output, JavaStore) or (isinstance(output, Bundle) and output.kind == BUNDLE)
    return for_servers and bool(held) and anchor.certificate.sha256 not in held


def _expected_anchors(inspection: Inspection, output: Output, tls: list[TrustedAnchor]) -> list[TrustedAnchor]:
    """Return the anchors that a store file should contain.

    A store file without most anchors of the distribution is not expected to contain them. Examples are a directory
    next to a bundle from a package (OpenWrt), and a directory for links that are made by hand (RHEL).
    """
    if not isinstance(output, HashDirectory) or _has_most(output, tls):
        return tls
    written = output.path in map(inspection.view.real_path, inspection.layout_outputs)
    return tls if written or not inspection.layout_outputs else []


def _has_most(output: Output, tls: list[TrustedAnchor]) -> bool:
    shipped = {anchor.certificate.sha256 for anchor in tls if not anchor.is_local}
    return 2 * len(shipped.intersection(each.sha256 for each in output.certificates)) >= len(shipped)


def _dangling_hashes(output: Output) -> set[str]:
    """Return the subject hashes of dangling links, which another finding reports."""
    links = output.links if isinstance(output, HashDirectory) else ()
    return {link.hash for link in links if not link.exists}


def _certificates_in(inspection: Inspection, output: Output) -> tuple[Certificate, ...]:
    """Return the certificates in a store file, including files of a hash directory without a hash link."""
    if not isinstance(output, HashDirectory) or not output.links:
        return output.certificates if not isinstance(output, Bundle) or output.kind == BUNDLE else ()
    files = (inspection.trust.files.at(path) for path in output.others)
    bundles = {bundle.path for bundle in inspection.bundles}
    single = (file for file in files if file and file.path not in bundles and len(file.certificates) == 1)
    unreached = (each for link in output.links if link.file for each in link.file.certificates)
    return (*output.certificates, *unreached, *(file.certificates[0] for file in single))


def _not_in(inspection: Inspection, anchor: TrustedAnchor, output: Output, *, complete: bool) -> Iterator[Finding]:
    level = ERROR if anchor.sources and anchor.origin in (LOCAL, OWN) else WARNING
    beside = isinstance(output, HashDirectory) and not (complete or anchor.is_local)
    if beside or not (anchor.sources or anchor.certificate.is_ca):
        level = NOTE
    if isinstance(output, Bundle):
        yield _lacks(NOT_IN_BUNDLE if _is_written(inspection, output) else APART, output, anchor, level)
    elif isinstance(output, HashDirectory):
        yield _lacks(NOT_IN_DIRECTORY, output, anchor, level)
    elif isinstance(output, JavaStore) and not output.fault:
        reason = refused_by_java(anchor.certificate)
        if reason:
            yield JAVA_REFUSES.found(inspection.where(anchor), f"{reason}: Java refuses it")
        else:
            yield _lacks(NOT_IN_JAVA, output, anchor, NOTE if level == NOTE else WARNING)


def _is_written(inspection: Inspection, bundle: Bundle) -> bool:
    """Return whether the distribution's tool writes the bundle. True for every bundle of an unknown layout."""
    written = {inspection.view.real_path(path) for path in inspection.layout_outputs}
    return not written or bundle.path in written


def _lacks(kind: FindingType, output: Output, anchor: TrustedAnchor, level: str) -> Finding:
    message = f"lacks {anchor.name} ({', '.join(anchor.outputs)} has it)"
    cause = f"is not in {output.path}"
    finding = kind.found(output.path, message, level=level, sha256=anchor.certificate.sha256, cause=cause)
    return replace(finding, name=anchor.name)


def _not_in_store(inspection: Inspection) -> Iterator[Finding]:
    """Yield local source files whose certificate is in no store file. p11-kit adds only CAs to store files for TLS."""
    trusted = {anchor.certificate.sha256 for anchor in inspection.trust.anchors}
    for sha256, paths in inspection.trust.local.items():
        if sha256 in trusted or not inspection.trust.outputs or not any(map(inspection.is_read, paths)):
            continue
        file = inspection.trust.files.at(paths[0])
        found = next(each for each in certificates_of(file) if each.sha256 == sha256) if file else None
        if blocklist := inspection.blocked.get(sha256):
            yield NOT_IN_STORE.found(paths[0], f"is distrusted by {blocklist}", fix=f"delete {blocklist} or {paths[0]}")
            continue
        left_out = inspection.uses_p11kit and found is not None and not found.is_ca
        message = "p11-kit adds only CAs to the store" if left_out else "is in no store file"
        yield NOT_IN_STORE.found(paths[0], message, level=WARNING if left_out else ERROR)
