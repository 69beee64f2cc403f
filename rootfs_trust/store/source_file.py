"""Certificate source files: parses them, and reports what is wrong with them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rootfs_trust import x509
from rootfs_trust.errors import (
    CONFLICT,
    ISSUER_MISSING,
    PEM_NOT_CLEAN,
    PURPOSES,
    SEVERAL_CERTIFICATES,
    MalformedError,
    Problem,
)
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.view import File, View, as_bytes, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.purposes import SERVERS, Purposes, pem_for, shown
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, parse_certificate, pem
from rootfs_trust.x509.parse_cache import cached


class Source(NamedTuple):
    """A certificate source file, and the certificates in it.

    ``fault`` is the reason why it is unusable, if clients could not read what it would add to the store. ``malformed``
    describes a defect that only some clients accept; the device's own tool uses the file as it is.
    """

    path: str
    data: bytes
    certificates: tuple[x509.Certificate, ...]
    fault: str = ""
    malformed: str = ""

    @property
    def clean(self) -> bool:
        """Whether the file is one PEM certificate and nothing else."""
        return not self.fault and not self.malformed


def source_of(path: str, certificate: x509.Certificate, purposes: Purposes = None) -> Source:
    """Return a clean source file for ``certificate``, trusted for ``purposes``."""
    return Source(path, pem_for(certificate.der, purposes), (certificate,))


@cached
def read_source(path: str, data: bytes) -> Source:
    """Parse and check a source file. Cached, because most roots of a fleet have the same files."""
    if x509.private_key_form(data):
        return Source(
            path, data, (), fault="contains a private key, which would go into a bundle that every user can read"
        )
    if b"-----BEGIN " not in data:
        return _no_pem(path, data)
    objects = x509.read_objects(data)
    certificates = tuple(certificate for _, certificate in objects.certificates)
    if objects.bad:
        bad = objects.bad[0]
        return Source(path, data, (), fault=f"is malformed in line {bad.line}: {bad.reason}")
    if not certificates:
        return Source(path, data, (), fault="contains no certificate")
    return Source(path, data, certificates, malformed=_defect(data, certificates))


def read_source_at(view: View, path: str) -> Source:
    """Read and check the source file at ``path``. A file that no longer exists counts as empty."""
    return read_source(path, read(view, path) or b"")


def certificate_files(view: View, folder: str, *, follow: bool = False) -> list[str]:
    """``find [-L] DIRECTORY -type f -name '*.crt'``, sorted by byte. Raises InputError if it does not terminate."""
    found = entries_below(view, folder, follow=follow)
    return sorted((path for path, kind in found if kind is File and path.endswith(".crt")), key=as_bytes)


def report_defects(sources: Iterable[Source], plan: StorePlan) -> None:
    """Add a conflict for each unusable source, and a warning for each that is used although it is malformed."""
    for source in sources:
        if source.fault:
            plan.conflicts.append(fault_of(source))
        elif source.malformed:
            kind = SEVERAL_CERTIFICATES if len(source.certificates) > 1 else PEM_NOT_CLEAN
            message = f"{source.malformed}; used as it is, as the device's own tool does"
            plan.warnings.append(kind(source.path, message, "--adopt rewrites it as clean PEM"))


def fault_of(source: Source) -> Problem:
    """Return the conflict for an unusable source."""
    by_hand = "replace it with one PEM certificate, or delete it"
    return CONFLICT(source.path, source.fault, "--adopt converts it to PEM" if source.certificates else by_hand)


def _no_pem(path: str, data: bytes) -> Source:
    try:
        certificate = x509.parse_certificate(data)
    except MalformedError:
        return Source(path, data, (), fault="contains no certificate")
    return Source(path, data, (certificate,), fault="is DER, and the device's clients read only PEM")


def _defect(data: bytes, certificates: tuple[x509.Certificate, ...]) -> str:
    if len(certificates) > 1:
        return f"contains {len(certificates)} certificates, which get no hash links"
    if data.rstrip(b"\n") + b"\n" != pem.encode(certificates[0].der):
        return "is not one clean PEM block (line ends, a byte order mark, a label, or text around it)"
    return ""


def unsourced(bundle: str, data: bytes | None, sources: Iterable[Source]) -> list[Problem]:
    """Return a conflict for each certificate in the bundle's ``data`` that is in none of ``sources``."""
    if not data:
        return []
    known = {certificate.der for source in sources for certificate in source.certificates}
    lost = "which is in no source file of the rootfs and would be lost"
    hint = "keep it with --cert, or drop it with --drop-unsourced"
    return [
        CONFLICT(bundle, f"contains {each.subject.text} (sha256 {each.sha256}), {lost}", hint)
        for each in _unknown(data, known)
    ]


def _unknown(data: bytes, known: set[bytes]) -> list[Certificate]:
    """Return the certificates of ``data`` that are not in ``known``, each once. Unreadable blocks are ignored."""
    unknown: dict[bytes, Certificate] = {}
    for der in _certificate_blocks(data):
        if der not in known:
            try:
                certificate = parse_certificate(der, trailing=True)
            except MalformedError:
                continue
            if certificate.der not in known:
                unknown[certificate.der] = certificate
    return list(unknown.values())


@functools.lru_cache(maxsize=4)  # most roots of a fleet have the same bundle, of some hundred kilobytes
def _certificate_blocks(data: bytes) -> tuple[bytes, ...]:
    """Return the content of each certificate block of a bundle, valid or not."""
    found = (block for block in pem.blocks(data) if isinstance(block, pem.Block))
    return tuple(block.der for block in found if block.label.endswith("CERTIFICATE"))


def missing_issuers(anchors: Iterable[Anchor], sources: Iterable[Source]) -> Iterator[Problem]:
    """Yield a warning for each of ``anchors`` whose issuer is another CA that is in none of ``sources``."""
    subjects = {each.subject.canonical for source in sources for each in source.certificates}
    for anchor in anchors:
        certificate = anchor.certificate
        if not certificate.self_issued and certificate.issuer.canonical not in subjects:
            yield ISSUER_MISSING(
                anchor.where,
                f"its issuer ({certificate.issuer.text}) is not in the "
                "store: curl, rustls and GnuTLS accept it as an anchor, mosquitto and most users of OpenSSL refuse it",
            )


def without_purposes(request: Request, plan: StorePlan, layout: str) -> Request:
    """Return ``request`` with all anchors trusted for every purpose, because the store of ``layout`` cannot record
    purposes.

    An anchor that is thereby trusted for more than requested gets a warning. If it is not meant for servers, that is an
    error: the device's TLS clients would silently trust that CA for servers.
    """
    for anchor in request.anchors:
        if anchor.purposes is not None and SERVERS in anchor.purposes:
            message = f"is meant for {shown(anchor.purposes)}, but the store of {layout} trusts it for everything"
            hint = "this layout records no purposes; fedora, suse and arch do"
            plan.warnings.append(PURPOSES(anchor.where, message, hint))
        elif anchor.purposes is not None:
            message = f"is meant only for {shown(anchor.purposes)}, but the store of {layout} records no purposes"
            hint = f"TLS clients would trust it for servers: do not install it here, or add {SERVERS} to its purposes"
            plan.problems.append(PURPOSES(anchor.where, message, hint))
    return request._replace(anchors=tuple(anchor._replace(purposes=None) for anchor in request.anchors))
