"""The data model of clients: an anchor, the anchors that a client finds, and a client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.der import DerReader
from rootfs_trust.x509.oids import SERVER_AUTH
from rootfs_trust.x509.pem_objects import take_trust_settings


class ClientAnchor(NamedTuple):
    """A certificate that a client trusts, its file, and OpenSSL's trust settings after it."""

    certificate: Certificate
    path: str
    settings: bytes = b""

    @property
    def serves(self) -> bool:
        """Whether the trust settings allow the certificate as an anchor for TLS servers."""
        return not self.settings or take_trust_settings(DerReader(self.settings)).allows(SERVER_AUTH)


@dataclass(frozen=True, slots=True)
class FoundAnchors:
    """The anchors that a client finds, in its order.

    ``searched``      where it searched, for messages.
    ``faults``        sentences about what it could not read; a refusal shows them.
    ``cannot_start``  why the client cannot even start, or empty.
    """

    anchors: tuple[ClientAnchor, ...] = ()
    searched: str = ""
    faults: tuple[str, ...] = ()
    cannot_start: str = ""


def together(parts: Sequence[FoundAnchors]) -> FoundAnchors:
    """Combine the anchors that a client finds in several places."""
    anchors = tuple(anchor for part in parts for anchor in part.anchors)
    faults = tuple(fault for part in parts for fault in part.faults)
    return FoundAnchors(anchors, " and ".join(part.searched for part in parts), faults)


def without_duplicates(anchors: Iterable[ClientAnchor]) -> tuple[ClientAnchor, ...]:
    """Return each certificate once, with the first file that contains it."""
    found: dict[str, ClientAnchor] = {}
    for anchor in anchors:
        found.setdefault(anchor.certificate.sha256, anchor)
    return tuple(found.values())


Find = Callable[[Sequence[Certificate] | None], FoundAnchors]


@dataclass(frozen=True, slots=True)
class OpenSslOptions:
    """The settings with which a program uses OpenSSL.

    ``partial``  an intermediate may be an anchor (X509_V_FLAG_PARTIAL_CHAIN).
    ``strict``   X509_V_FLAG_X509_STRICT.
    ``san``      host names in the subject are ignored.
    ``level``    the security level.
    """

    partial: bool = False
    strict: bool = False
    san: bool = False
    level: int = 2


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the device. ``engine`` names the rules by which it judges a chain, see ``audit/verify``.

    ``find`` returns the anchors that the client finds for a chain, or without a chain, all anchors that it can find.
    Only the result of a hash directory depends on the chain. ``note`` is added to every verdict.
    """

    name: str
    engine: str
    find: Find
    note: str = ""
    options: OpenSslOptions = OpenSslOptions()
    because: str = ""
    """The file whose variables point it to its store; empty for compiled-in paths and an image's config."""


class ClientType(NamedTuple):
    """A client as all root filesystems have it; docs/clients.md is generated from it. ``engine`` is as for Client."""

    name: str
    engine: str
    programs: str
    how: str
    """How it finds its anchors."""
    source: str

    def client(
        self, find: Find, note: str = "", options: OpenSslOptions = OpenSslOptions(), *, path: str = ""
    ) -> Client:
        """Return this client in one root filesystem. With the ``path`` of its store, the path is part of the name."""
        return Client(f"{self.name}:{path}" if path else self.name, self.engine, find, note, options)


def fixed(found: FoundAnchors) -> Find:
    """Return the ``find`` of a client that always reads all of its files."""
    return lambda _: found
