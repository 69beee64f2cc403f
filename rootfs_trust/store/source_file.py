"""The files from which a trust store is made: which certificates are in them, and what install warns about."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError, Problem
from rootfs_trust.rootfs.listing import entries_below
from rootfs_trust.rootfs.view import File, View, as_bytes, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.purposes import SERVERS, Purposes, pem_for, shown
from rootfs_trust.x509 import Certificate, parse_certificate, pem

_SMALL = 8192
"""Bytes of a file whose judgement is remembered; a root's certificate has two thousand."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file and the certificates in it.

    ``fault`` names what makes it unfit: no client could read what it would add. ``untidy`` names what only
    some clients cope with: the device's own tool takes it as it is.
    """

    path: str
    data: bytes
    certificates: tuple[x509.Certificate, ...]
    fault: str = ""
    untidy: str = ""

    @property
    def clean(self) -> bool:
        """Whether it is one PEM certificate and nothing else."""
        return not self.fault and not self.untidy


def source_of(path: str, certificate: x509.Certificate, purposes: Purposes = None) -> Source:
    """The clean source file for ``certificate``, which is trusted for ``purposes``."""
    return Source(path, pem_for(certificate.der, purposes), (certificate,))


def read_source(path: str, data: bytes) -> Source:
    """Judge the content of a source file."""
    return _known(path, data) if len(data) <= _SMALL else _judged(path, data)


@functools.lru_cache(maxsize=1024)
def _known(path: str, data: bytes) -> Source:
    """As :func:`_judged`. Of a thousand trees most have the same files; a store has some 150 of them."""
    return _judged(path, data)


def _judged(path: str, data: bytes) -> Source:
    if x509.private_key_form(data):
        return Source(path, data, (), fault="holds a private key, which would go into a bundle that all may read")
    if b"-----BEGIN " not in data:
        return _no_pem(path, data)
    objects = x509.read_objects(data)
    certificates = tuple(certificate for _, certificate in objects.certificates)
    if objects.bad:
        bad = objects.bad[0]
        return Source(path, data, (), fault=f"is broken in line {bad.line}: {bad.reason}")
    if not certificates:
        return Source(path, data, (), fault="holds no certificate")
    return Source(path, data, certificates, untidy=_untidy(data, certificates))


def read_source_at(view: View, path: str) -> Source:
    """The source file at ``path``; one that is gone by now is empty."""
    return read_source(path, read(view, path) or b"")


def certificate_files(view: View, folder: str, *, follow: bool = False) -> list[str]:
    """``find [-L] FOLDER -type f -name '*.crt'``, sorted by byte. Raises InputError where there is no end to it."""
    found = entries_below(view, folder, follow=follow)
    return sorted((path for path, kind in found if kind is File and path.endswith(".crt")), key=as_bytes)


def judge_sources(sources: Iterable[Source], answer: StorePlan) -> None:
    """Faults are conflicts; what is untidy is taken as the device's own tool takes it, and told."""
    for source in sources:
        if source.fault:
            answer.conflicts.append(fault_of(source))
        elif source.untidy:
            id_ = "several-certificates" if len(source.certificates) > 1 else "pem-not-clean"
            message = f"{source.untidy}; taken as it is, as the device's own tool does"
            answer.warnings.append(Problem(id_, source.path, message, "--adopt rewrites it clean"))


def fault_of(source: Source) -> Problem:
    """The conflict that a source with a fault is."""
    return Problem(
        "conflict",
        source.path,
        source.fault,
        "--adopt makes PEM of it" if source.certificates else "put one PEM certificate there, or take it away",
    )


def _no_pem(path: str, data: bytes) -> Source:
    try:
        certificate = x509.parse_certificate(data)
    except MalformedError:
        return Source(path, data, (), fault="holds no certificate")
    return Source(path, data, (certificate,), fault="is DER, and the device's clients read PEM alone")


def _untidy(data: bytes, certificates: tuple[x509.Certificate, ...]) -> str:
    if len(certificates) > 1:
        return f"holds {len(certificates)} certificates: they get no hash link"
    if data.rstrip(b"\n") + b"\n" != pem.encode(certificates[0].der):
        return "is not one clean PEM block (line ends, a byte order mark, a label, or text around it)"
    return ""


def unsourced(bundle: str, data: bytes | None, sources: Iterable[Source]) -> list[Problem]:
    """A conflict for each certificate of the bundle's ``data`` that none of ``sources`` holds."""
    if not data:
        return []
    known = {certificate.der for source in sources for certificate in source.certificates}
    return [_conflict(bundle, each) for each in _others(data, known)]


def _others(data: bytes, known: set[bytes]) -> list[Certificate]:
    """The certificates of ``data`` not in ``known``, each once; blocks that nothing can read have no trust."""
    others: dict[bytes, Certificate] = {}
    for der in _in_blocks(data):
        if der not in known:
            try:
                certificate = parse_certificate(der, trailing=True)
            except MalformedError:
                continue
            if certificate.der not in known:
                others[certificate.der] = certificate
    return list(others.values())


@functools.lru_cache(maxsize=4)  # most of a thousand trees have the same bundle, of some hundred kilobytes
def _in_blocks(data: bytes) -> tuple[bytes, ...]:
    """What the certificate blocks of a bundle hold, fit or not."""
    found = (block for block in pem.blocks(data) if isinstance(block, pem.Block))
    return tuple(block.der for block in found if block.label.endswith("CERTIFICATE"))


def _conflict(bundle: str, certificate: Certificate) -> Problem:
    return Problem(
        "conflict",
        bundle,
        f"holds {certificate.subject.text} (sha256 {certificate.sha256}), which no "
        "source file of the rootfs holds: it would be lost",
        "give it as a certificate too, or let it go with --drop-unsourced",
    )


def missing_issuers(anchors: Iterable[Anchor], sources: Iterable[Source]) -> Iterator[Problem]:
    """A warning for each of ``anchors`` that another CA signed which none of ``sources`` holds."""
    subjects = {each.subject.canonical for source in sources for each in source.certificates}
    for anchor in anchors:
        certificate = anchor.certificate
        if not certificate.self_issued and certificate.issuer.canonical not in subjects:
            yield Problem(
                "issuer-missing",
                anchor.where,
                f"its issuer ({certificate.issuer.text}) is not in the "
                "store: curl, rustls and GnuTLS accept it as an anchor, mosquitto and most who use OpenSSL refuse it",
                "install the root that signed it too",
            )


def without_purposes(request: Request, answer: StorePlan, layout: str) -> Request:
    """``request`` with anchors for everything, which is what the store of ``layout`` makes of them.

    One that is to be trusted for more than it asks is told; for servers, which is what such a store serves, it is
    a trouble: the TLS clients of the device would take that CA's word in silence.
    """
    for anchor in request.anchors:
        if anchor.purposes is not None and SERVERS in anchor.purposes:
            answer.warnings.append(_for_more(anchor, layout))
        elif anchor.purposes is not None:
            answer.problems.append(_not_for_servers(anchor, layout))
    return replace(request, anchors=tuple(replace(anchor, purposes=None) for anchor in request.anchors))


def _for_more(anchor: Anchor, layout: str) -> Problem:
    message = f"is to be trusted for {shown(anchor.purposes)}; the store of {layout} trusts it for everything"
    return Problem("purposes", anchor.where, message, "this store knows no purposes: fedora, suse and arch do")


def _not_for_servers(anchor: Anchor, layout: str) -> Problem:
    message = f"is to be trusted for {shown(anchor.purposes)} alone, and the store of {layout} knows no purposes"
    hint = f"TLS clients would trust it for servers: leave it out here, or name {SERVERS} among its purposes"
    return Problem("purposes", anchor.where, message, hint)
