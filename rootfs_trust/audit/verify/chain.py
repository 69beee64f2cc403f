"""Parse the saved chain of a server, with the server's own certificate first."""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.errors import CHAIN, InputError, MalformedError
from rootfs_trust.inputs.mistaken_files import not_a_chain
from rootfs_trust.x509 import Certificate, parse_certificate, read_objects

_HINT = (
    "give PEM with the server's certificate first, as `openssl s_client -showcerts` prints it, "
    "or save it with `rootfs-trust verify --fetch HOST:PORT --chain FILE`"
)


@dataclass(frozen=True, slots=True)
class Chain:
    """``sent``: the certificates that the server sends, its own first, each once."""

    sent: tuple[Certificate, ...]

    @property
    def server(self) -> Certificate:
        """The server's own certificate."""
        return self.sent[0]

    @property
    def others(self) -> tuple[Certificate, ...]:
        """The other certificates that the server sends."""
        return self.sent[1:]


def read_chain(data: bytes, name: str) -> Chain:
    """Parse the chain in the file ``name``: PEM with any text around it, or one DER certificate. Raises InputError."""
    objects = read_objects(data)
    if objects.bad:
        bad = objects.bad[0]
        raise InputError(CHAIN(name, f"the {bad.label} block at line {bad.line} cannot be read: {bad.reason}", _HINT))
    found = [certificate for _, certificate in objects.certificates] or _der(data)
    if not found:
        raise InputError(CHAIN(name, not_a_chain(data), _HINT))
    return Chain(tuple({each.sha256: each for each in found}.values()))


def _der(data: bytes) -> list[Certificate]:
    try:
        return [parse_certificate(data)]
    except MalformedError:
        return []
