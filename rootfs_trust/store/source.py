"""A file that the rootfs holds as a source of its trust store, and how fit it is for that. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rootfs_trust import x509
from rootfs_trust.errors import MalformedError, Trouble
from rootfs_trust.rootfs.nodes import Directory, File, View, as_bytes, join, read
from rootfs_trust.store.purposes import Purposes, pem_for
from rootfs_trust.store.request import Answer
from rootfs_trust.x509 import pem

_SMALL = 8192
"""Bytes of a file whose judgement is remembered; a root's certificate has two thousand."""

DEEPEST = 100
"""Folders below a folder of sources; no package nests them so, and a hostile tree must not exhaust the stack."""


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
    if x509.has_private_key(data) or x509.looks_like_private_key_der(data):
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
    """``find [-L] FOLDER -type f -name '*.crt'``, sorted by byte. Like find, a loop of folders is not entered."""
    return sorted(_find_crt(view, folder, follow, frozenset()), key=as_bytes)


def _find_crt(view: View, folder: str, follow: bool, above: frozenset[str | None]) -> Iterator[str]:
    real = view.real_path(folder)
    if real in above or len(above) > DEEPEST:
        return
    for name in view.names(folder):
        path = join(folder, name)
        kind = view.kind(path, follow=follow)
        if kind is Directory:
            yield from _find_crt(view, path, follow, above | {real})
        elif kind is File and name.endswith(".crt"):
            yield path


def judge_sources(sources: Iterable[Source], answer: Answer) -> None:
    """Faults are conflicts; what is untidy is taken as the device's own tool takes it, and told."""
    for source in sources:
        if source.fault:
            answer.conflicts.append(fault_of(source))
        elif source.untidy:
            message = f"{source.untidy}; taken as it is, as the device's own tool does"
            answer.warnings.append(Trouble("untidy-source", source.path, message, "--adopt rewrites it clean"))


def fault_of(source: Source) -> Trouble:
    """The conflict that a source with a fault is."""
    return Trouble(
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
