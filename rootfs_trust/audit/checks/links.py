"""Findings about hash directories: certificates that OpenSSL's lookup (by_dir.c) does not find, and wrong links."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.audit import well_known_paths
from rootfs_trust.audit.files import CertificateFile
from rootfs_trust.audit.findings import ERROR, NOTE, WARNING, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.store_files import HashDirectory, HashLink
from rootfs_trust.rootfs.view import File, Symlink, View, join
from rootfs_trust.store.hash_links import is_hash_link_name, rehashable
from rootfs_trust.x509 import Certificate

_REHASH = "rebuild the trust store on the device with the distribution's own tool, which creates the hash links"
_BY_DIRECTORY = "mosquitto's bridge with a CA directory, like every program that uses OpenSSL with a directory"

MISSING = FindingType(
    "hash-link-missing",
    (ERROR,),
    "A certificate in a hash directory has no hash link",
    f"OpenSSL opens only HASH.0, HASH.1, ... in a directory. {_BY_DIRECTORY}, does not trust this CA.",
    _REHASH,
)
NONE = FindingType(
    "no-hash-links",
    (ERROR, NOTE),
    "A directory of certificates has no hash links",
    f"OpenSSL finds no certificate in it. {_BY_DIRECTORY}, trusts no server. It is a note if the directory contains "
    "only a bundle.",
    _REHASH,
)
GAP = FindingType(
    "hash-link-gap",
    (ERROR,),
    "OpenSSL never reaches a hash link, because a lower number is missing",
    f"The lookup counts from 0 and stops at the first missing number. {_BY_DIRECTORY}, does not trust this CA.",
    _REHASH,
)
WRONG = FindingType(
    "hash-link-wrong",
    (WARNING,),
    "A hash link points to a file with another hash",
    "OpenSSL opens the file and finds no matching certificate. The intended CA is not trusted through this link.",
    _REHASH,
)
DANGLING = FindingType(
    "hash-link-dangling",
    (WARNING, ERROR),
    "A hash link is dangling",
    "The lookup stops here, so it does not reach links with the same hash and a higher number. It is an error if an "
    "installed anchor is lost, or if a CA has no working hash link left.",
    _REHASH,
)
NAME = FindingType(
    "hash-link-name",
    (WARNING,),
    "OpenSSL never looks up the name of a hash link",
    "OpenSSL looks for eight lower-case hexadecimal digits, a dot and a decimal number without leading zeros.",
    _REHASH,
)
TWICE = FindingType(
    "hash-link-twice",
    (NOTE,),
    "Two hash links point to the same certificate",
    "It costs only an extra lookup. A tool on the device will remove one of them.",
    _REHASH,
)
FILE = FindingType(
    "hash-link-file",
    (WARNING,),
    "A regular file has the name of a hash link",
    "OpenSSL finds its certificate. But `openssl rehash` and `install` refuse to overwrite the file.",
    "rename the file to NAME.pem, and create a symbolic link with the old name to it",
)
LINK_DANGLING = FindingType(
    "dangling-link",
    (WARNING, ERROR),
    "A link in a hash directory is dangling",
    "Programs that use OpenSSL with the directory do not trust this anchor, and `openssl rehash` fails on the "
    "device. It is an error if an installed anchor is lost, or if a CA has no working hash link left.",
    "copy the target of the link into the root filesystem, or delete the link",
)
BUILD_HOST = FindingType(
    "build-host-link",
    (ERROR,),
    "A link points to a path on the build host",
    "The path exists where the image was built, but not on the device, so the anchor is not trusted there. "
    "`update-ca-certificates --sysroot` writes such links.",
    "make the link relative, or point it to the path of the file on the device",
)
KINDS = (MISSING, NONE, GAP, WRONG, DANGLING, NAME, TWICE, FILE, LINK_DANGLING, BUILD_HOST)


def check(inspection: Inspection) -> Iterator[Finding]:
    """Yield findings for every hash directory of the tree."""
    for directory in inspection.directories:
        single = dict(_single_certificates(inspection, directory))
        if not directory.links:
            yield from _without_links(directory, bool(single))
        else:
            yield from _missing(directory, single)
        yield from _links(directory)
        yield from _files(inspection.view, directory)
        yield from _names(inspection.view, directory)
        yield from _Dangling(inspection, directory).findings()


def _single_certificates(inspection: Inspection, directory: HashDirectory) -> Iterator[tuple[str, Certificate]]:
    """Return the files with a single certificate, which need a hash link, by path."""
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
        yield NONE.found(directory.path, "contains certificates, but no hash links")
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
            yield MISSING.found(path, f"no hash link {certificate.subject.hash}.N points to {_shown(certificate)}")


def _links(directory: HashDirectory) -> Iterator[Finding]:
    reached = set(directory.reached)
    seen: dict[str, str] = {}
    for link in directory.links:
        if not link.exists:
            continue
        if not _fits(link):
            yield WRONG.found(link.path, "points to a file without a certificate or CRL of this hash")
        elif link not in reached:
            kind = "r" if link.crl else ""
            message = f"a link {link.hash}.{kind}N with a lower number is missing, so OpenSSL never reads it"
            yield GAP.found(link.path, message)
        else:
            yield from _duplicate_links(link, seen)


def _files(view: View, directory: HashDirectory) -> Iterator[Finding]:
    for link in directory.links:
        if _fits(link) and view.kind(link.path, follow=False) is File:
            yield FILE.found(link.path, "is a regular file, but should be a symbolic link")


def _fits(link: HashLink) -> bool:
    """Return whether a certificate or CRL in the file has this hash, in the new or the old style."""
    if link.file is None:
        return False
    if link.crl:
        return any(link.hash in (crl.issuer.hash, crl.issuer.hash_old) for _, crl in link.file.objects.crls)
    return any(link.hash in (each.subject.hash, each.subject.hash_old) for each in link.file.certificates)


def _duplicate_links(link: HashLink, seen: dict[str, str]) -> Iterator[Finding]:
    for each in link.file.certificates if link.file and not link.crl else ():
        if each.subject.hash == link.hash and seen.setdefault(each.sha256, link.path) != link.path:
            yield TWICE.found(link.path, f"points to the same certificate as {seen[each.sha256]}")


def _names(view: View, directory: HashDirectory) -> Iterator[Finding]:
    for path in directory.others:
        if view.kind(path) is not None and is_hash_link_name(path.rpartition("/")[2]):
            yield NAME.found(path, "is named like a hash link, but no program looks for this name")


class _Dangling:
    """The dangling links of a hash directory, without hash links to other dangling links."""

    def __init__(self, inspection: Inspection, directory: HashDirectory) -> None:
        self._view = inspection.view
        self._directory = directory
        self._others = [path for path in directory.others if self._view.kind(path) is None]
        self._hash_links = [link for link in directory.links if not link.exists]
        held = {each.sha256 for each in directory.certificates}
        self._has_cas = any(each.is_ca for each in directory.certificates)
        lost = (each for each in inspection.local_anchors if each.certificate.sha256 not in held)
        self._lost = {anchor.certificate.subject.hash for anchor in lost}

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per link."""
        hashes: dict[str, set[str]] = {path: set() for path in self._others}
        for link in self._hash_links:
            path = beside(self._directory.path, self._text(link.path))
            if path in hashes:
                hashes[path].add(link.hash)
            else:
                yield self._found(DANGLING, link.path, {link.hash})
        for path, belonging in hashes.items():
            yield self._found(LINK_DANGLING, path, belonging)

    def _found(self, kind: FindingType, path: str, hashes: set[str]) -> Finding:
        text = self._text(path)
        level = ERROR if self._lost.intersection(hashes) or not self._has_cas else WARNING
        if _is_of_the_host(self._view, text):
            cause = f"links in {self._directory.path} point to paths on the build host"
            return BUILD_HOST.found(path, f"points to {text}, a path on the build host", cause=cause)
        missing = self._missing(text)
        if not missing:
            return kind.found(path, f"points to {text}, which does not exist", level=level)
        cause = f"links in {self._directory.path} point to {missing}, which does not exist"
        fix = f"copy {missing} into the root filesystem as well, or replace the links with the files (cp -L)"
        return kind.found(path, f"points to {text}, which does not exist", level=level, cause=cause, fix=fix)

    def _text(self, path: str) -> str:
        node = self._view.node(path)
        return node.points_to if isinstance(node, Symlink) else ""

    def _missing(self, text: str) -> str:
        """Return the first missing parent directory of an absolute link's target."""
        above = [text[:end] for end, char in enumerate(text) if char == "/" and end] if text.startswith("/") else []
        missing = [folder for folder in above if self._view.kind(folder) is None]
        sources = (*well_known_paths.LOCAL_SOURCES, *well_known_paths.SHIPPED_SOURCES)
        return next((folder for folder in missing if folder in sources), missing[0] if missing else "")


def beside(folder: str, text: str) -> str:
    """Return the target of a link in ``folder`` if it is in the same directory, else an empty string."""
    name = text.removeprefix(f"{folder}/").removeprefix("./")
    return join(folder, name) if name and "/" not in name else ""


def _is_of_the_host(view: View, text: str) -> bool:
    """Return whether an absolute link points into the tree by its path on the build host."""
    parts = [part for part in text.split("/") if part]
    if not text.startswith("/"):
        return False
    return any(view.kind("/" + "/".join(parts[start:])) is not None for start in range(1, len(parts) - 1))


def _shown(certificate: Certificate) -> str:
    return certificate.subject.text or f"sha256 {certificate.sha256}"
