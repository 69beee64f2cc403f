"""The nouns: an anchor as a client finds it, and a client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.der import DerReader
from rootfs_trust.x509.pem_objects import take_trust_settings

_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


class ClientAnchor(NamedTuple):
    """A certificate that a client takes for trusted, the file it stands in, and OpenSSL's trust settings behind it."""

    certificate: Certificate
    path: str
    settings: bytes = b""

    @property
    def serves(self) -> bool:
        """Whether the settings behind it leave it an anchor for TLS servers."""
        return not self.settings or take_trust_settings(DerReader(self.settings)).allows(_SERVER_AUTH)


@dataclass(frozen=True, slots=True)
class FoundAnchors:
    """What a client finds: ``anchors``, in its order.

    ``looked``  where it looked, for people.
    ``faults``  sentences about what it could not read; they matter to a refusal.
    ``dead``    why the client does not even start, or empty.
    """

    anchors: tuple[ClientAnchor, ...] = ()
    looked: str = ""
    faults: tuple[str, ...] = ()
    dead: str = ""


Find = Callable[[Sequence[Certificate] | None], FoundAnchors]


@dataclass(frozen=True, slots=True)
class OpenSslOptions:
    """How a program sets OpenSSL up.

    ``partial``  takes an intermediate for an anchor (X509_V_FLAG_PARTIAL_CHAIN).
    ``strict``   X509_V_FLAG_X509_STRICT.
    ``san``      takes no host name from the subject.
    ``level``    the security level.
    """

    partial: bool = False
    strict: bool = False
    san: bool = False
    level: int = 2


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the device. ``engine`` names the rules by which it judges a chain, see ``audit/verify``.

    ``find`` gives what the client finds for a chain: only a hash directory asks for it. Without a chain it gives all
    that the client can find. ``note`` comes with every verdict.
    """

    name: str
    engine: str
    find: Find
    note: str = ""
    options: OpenSslOptions = OpenSslOptions()
    because: str = ""
    """The file whose variables lead it to its store; empty for what is compiled in or the image sets."""


def fixed(found: FoundAnchors) -> Find:
    """``find`` of a client that reads all of its files at once."""
    return lambda _: found
