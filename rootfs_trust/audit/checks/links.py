"""Hash directories: what OpenSSL's lookup gets to (by_dir.c), and what it does not."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.outputs import HashDirectory, HashLink
from rootfs_trust.rootfs.nodes import Symlink, View
from rootfs_trust.store.hashdir import is_hash_link_name, rehashable
from rootfs_trust.x509 import Certificate

_REHASH = "run rootfs-trust install --root on the tree, or rootfs-trust rehash on the folder"
_BY_DIRECTORY = "mosquitto's bridge with a CA folder, and every other program that gives OpenSSL a folder"

MISSING = Kind(
    "hash-link-missing",
    (ERROR,),
    "A certificate of a hash directory has no hash link",
    f"OpenSSL asks a folder for HASH.0, HASH.1, ... and for no other name: {_BY_DIRECTORY}, does not trust this CA.",
    _REHASH,
)
NONE = Kind(
    "no-hash-links",
    (ERROR, NOTE),
    "A folder of certificates has no hash link at all",
    f"OpenSSL finds nothing in it: {_BY_DIRECTORY}, trusts nobody. A note where the folder has but a bundle.",
    _REHASH,
)
GAP = Kind(
    "hash-link-gap",
    (ERROR,),
    "A hash link is never reached, because a lower number is missing",
    f"The lookup counts from 0 and stops at the first number that is missing: {_BY_DIRECTORY}, does not trust this CA.",
    _REHASH,
)
WRONG = Kind(
    "hash-link-wrong",
    (WARNING,),
    "A hash link leads to something that its name does not belong to",
    "OpenSSL reads the file in vain; the certificate that was meant is not found by this link.",
    _REHASH,
)
DANGLING = Kind(
    "hash-link-dangling",
    (WARNING,),
    "A hash link leads nowhere",
    "The lookup stops here, so that links of the same hash with higher numbers are out of reach.",
    _REHASH,
)
NAME = Kind(
    "hash-link-name",
    (WARNING,),
    "A hash link has a name that nobody looks up",
    "OpenSSL asks for eight small hexadecimal digits, a dot and a plain decimal number.",
    _REHASH,
)
TWICE = Kind(
    "hash-link-twice",
    (NOTE,),
    "Two hash links lead to the same certificate",
    "It costs a look-up and nothing else; a tool on the device will take one of them away.",
    _REHASH,
)
LINK_DANGLING = Kind(
    "dangling-link",
    (WARNING,),
    "A link in a folder of certificates leads nowhere",
    "Its anchor is not trusted, and openssl rehash on the device ends with an error.",
    "bring its source back, or run rootfs-trust install --root on the tree, which takes stale links out",
)
BUILD_HOST = Kind(
    "build-host-link",
    (ERROR,),
    "A link leads to a path of the build host",
    "The path exists where the image was built and not on the device: its anchor is not trusted there. "
    "update-ca-certificates --sysroot writes such links.",
    "run rootfs-trust install --root on the tree",
)
KINDS = (MISSING, NONE, GAP, WRONG, DANGLING, NAME, TWICE, LINK_DANGLING, BUILD_HOST)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Every hash directory of the tree."""
    for directory in inspection.directories:
        single = dict(_single_certificates(inspection, directory))
        if not directory.links:
            yield from _without_links(directory, bool(single))
        else:
            yield from _missing(directory, single)
        yield from _links(inspection.view, directory)
        yield from _others(inspection.view, directory)


def _single_certificates(inspection: Inspection, directory: HashDirectory) -> Iterator[tuple[str, Certificate]]:
    """The files of one certificate each that a hash link should lead to, by path."""
    bundles = {bundle.path for bundle in inspection.bundles}
    trusted = {each.sha256 for bundle in inspection.bundles for each in bundle.certificates}
    for path in directory.others:
        file = inspection.trust.files.at(path) if rehashable(path) else None
        if file and file.path not in bundles and _is_one(file):
            certificate = file.certificates[0]
            if certificate.sha256 in trusted or certificate.is_ca:
                yield path, certificate


def _is_one(file: CertificateFile) -> bool:
    return len(file.certificates) == 1 and not file.objects.bad


def _without_links(directory: HashDirectory, has_certificates: bool) -> Iterator[Finding]:
    if has_certificates:
        yield NONE.found(directory.path, "holds certificates, and no hash link")
    else:
        yield NONE.found(directory.path, "has no hash links", level=NOTE)


def _missing(directory: HashDirectory, single: dict[str, Certificate]) -> Iterator[Finding]:
    linked = {
        each.sha256
        for link in directory.links
        if link.file
        for each in link.file.certificates
        if each.subject.hash == link.hash
    }
    for path, certificate in single.items():
        if certificate.sha256 not in linked:
            yield MISSING.found(path, f"no hash link {certificate.subject.hash}.N leads to {_shown(certificate)}")


def _links(view: View, directory: HashDirectory) -> Iterator[Finding]:
    reached = set(directory.reached)
    seen: dict[str, str] = {}
    for link in directory.links:
        if not link.exists:
            yield _dangling(view, link.path, DANGLING)
        elif not _fits(link):
            yield WRONG.found(link.path, "leads to nothing that has this hash")
        elif link not in reached:
            message = f"a link {link.hash}.{'r' if link.crl else ''}N of a lower number is missing, so it is never read"
            yield GAP.found(link.path, message)
        else:
            yield from _again(link, seen)


def _fits(link: HashLink) -> bool:
    """Whether its hash is that of something in the file; hashes in the style before OpenSSL 1.0.0 count too."""
    if link.file is None:
        return False
    if link.crl:
        return any(link.hash in (crl.issuer.hash, crl.issuer.hash_old) for _, crl in link.file.objects.crls)
    return any(link.hash in (each.subject.hash, each.subject.hash_old) for each in link.file.certificates)


def _again(link: HashLink, seen: dict[str, str]) -> Iterator[Finding]:
    for each in link.file.certificates if link.file and not link.crl else ():
        if each.subject.hash == link.hash and seen.setdefault(each.sha256, link.path) != link.path:
            yield TWICE.found(link.path, f"leads to the certificate that {seen[each.sha256]} leads to")


def _others(view: View, directory: HashDirectory) -> Iterator[Finding]:
    for path in directory.others:
        if view.kind(path) is None:
            yield _dangling(view, path, LINK_DANGLING)
        elif is_hash_link_name(path.rpartition("/")[2]):
            yield NAME.found(path, "is named like a hash link, but no program looks for this name")


def _dangling(view: View, path: str, kind: Kind) -> Finding:
    node = view.node(path)
    text = node.points_to if isinstance(node, Symlink) else ""
    if _is_of_the_host(view, text):
        return BUILD_HOST.found(path, f"leads to {text}, a path of the build host")
    return kind.found(path, f"leads to {text}, where nothing is")


def _is_of_the_host(view: View, text: str) -> bool:
    """Whether the tree has what an absolute link points to, without the front of the path: that of the build folder."""
    parts = [part for part in text.split("/") if part]
    if not text.startswith("/"):
        return False
    return any(view.kind("/" + "/".join(parts[start:])) is not None for start in range(1, len(parts) - 1))


def _shown(certificate: Certificate) -> str:
    return certificate.subject.text or f"sha256 {certificate.sha256}"
