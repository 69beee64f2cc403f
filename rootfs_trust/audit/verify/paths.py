"""Find every path from a server's certificate to an anchor, for clients that try them all: Go and rustls. Does no I/O.

Names are compared byte by byte and signatures are verified. The rules check everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rootfs_trust.audit.verify.lazy_certificate import Parsed
from rootfs_trust.x509 import Certificate

LONGEST = 10
"""Maximum number of certificates in a path. Go and rustls have their own limits, which normal chains do not reach."""

_BUDGET = 200
"""Maximum number of signature checks for one chain, because some chains are made to be expensive."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path: the server's certificate first, the anchor last. They are the same if the certificate is in the store."""

    links: tuple[Parsed, ...]

    @property
    def server(self) -> Parsed:
        """The server's own certificate."""
        return self.links[0]

    @property
    def anchor(self) -> Parsed:
        """The anchor in the client's store."""
        return self.links[-1]

    @property
    def pinned(self) -> bool:
        """Whether the server's certificate itself is in the store."""
        return len(self.links) == 1

    @property
    def intermediates(self) -> tuple[Parsed, ...]:
        """The certificates between server and anchor."""
        return self.links[1:-1]

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The path as ``x509.Certificate`` objects."""
        return tuple(link.certificate for link in self.links)


@dataclass(slots=True)
class PathSearch:
    """Searches paths. ``pinning``: a server's certificate that is in the store is a path by itself.

    After a search, ``stuck`` has the last certificates without a signer, and whether a certificate with the signer's
    name was found.
    """

    anchors: Sequence[Parsed]
    others: Sequence[Parsed]
    pinning: bool
    stuck: list[tuple[Certificate, bool]] = field(default_factory=list)
    _left: int = _BUDGET

    def paths(self, server: Parsed) -> Iterator[Path]:
        """Yield every path, trying anchors before sent certificates."""
        if self.pinning and any(each.certificate.sha256 == server.certificate.sha256 for each in self.anchors):
            yield Path((server,))
        yield from map(Path, self._up((server,)))

    def _up(self, below: tuple[Parsed, ...]) -> Iterator[tuple[Parsed, ...]]:
        head = below[-1]
        found = namesakes = False
        for anchor in self._named(self.anchors, head):
            namesakes = True
            if self._signed(head, anchor):
                found = True
                yield (*below, anchor)
        passed = {_identity(each) for each in below}
        for other in self._named(self.others, head) if len(below) < LONGEST else ():
            if _identity(other) not in passed and self._signed(head, other):
                found = True
                yield from self._up((*below, other))
        if not found:
            self.stuck.append((head.certificate, namesakes))

    def _named(self, certificates: Sequence[Parsed], head: Parsed) -> Iterator[Parsed]:
        issuer = head.certificate.issuer
        for each in certificates:
            subject = each.certificate.subject
            if subject.raw == issuer.raw:
                yield each

    def _signed(self, head: Parsed, issuer: Parsed) -> bool:
        self._left -= 1
        return self._left >= 0 and head.signed_by(issuer)


def _identity(parsed: Parsed) -> bytes:
    return parsed.certificate.der
