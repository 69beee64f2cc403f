"""Every way up from a server's certificate to an anchor, for the clients that try them all. Pure.

OpenSSL commits itself to one path and has an engine of its own here; Go, rustls, GnuTLS and Java look for any that
holds. Names are compared as octets or as OpenSSL folds them, signatures are checked, all else is left to the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rootfs_trust.audit.verify.parsed import Parsed
from rootfs_trust.x509 import Certificate

LONGEST = 10
"""Certificates in a path. Go and rustls have budgets of their own, which no honest chain reaches."""

_BUDGET = 200
"""Signatures checked for one chain: some chains are made to cost."""


@dataclass(frozen=True, slots=True)
class Path:
    """The server's certificate first, the anchor last; both are one where the certificate itself is in the store."""

    links: tuple[Parsed, ...]

    @property
    def server(self) -> Parsed:
        """The server's own certificate."""
        return self.links[0]

    @property
    def anchor(self) -> Parsed:
        """What the client has in its store."""
        return self.links[-1]

    @property
    def pinned(self) -> bool:
        """Whether the server's certificate itself is in the store."""
        return len(self.links) == 1

    @property
    def intermediates(self) -> tuple[Parsed, ...]:
        """What stands between both."""
        return self.links[1:-1]

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The same as the room x509 has them."""
        return tuple(link.certificate for link in self.links)


@dataclass(slots=True)
class Search:
    """Looks for paths. ``pinning``: a server's certificate that is in the store itself is a path of its own.

    After a search ``stuck`` holds the last certificates without a signer, and whether one of its signer's name was
    there.
    """

    anchors: Sequence[Parsed]
    others: Sequence[Parsed]
    pinning: bool
    folded: bool = False
    stuck: list[tuple[Certificate, bool]] = field(default_factory=list)
    _left: int = _BUDGET

    def paths(self, server: Parsed) -> Iterator[Path]:
        """Every path, anchors before what the server sends."""
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
            if subject == issuer if self.folded else subject.raw == issuer.raw:
                yield each

    def _signed(self, head: Parsed, issuer: Parsed) -> bool:
        self._left -= 1
        return self._left >= 0 and head.signed_by(issuer)


def _identity(parsed: Parsed) -> bytes:
    return parsed.certificate.der
