"""The verdicts of `verify`'s engines on the cases."""

from __future__ import annotations

from rootfs_trust.audit.clients.client import Anchor, Client, Found, OpenSslOptions, fixed
from rootfs_trust.audit.clients.pem_readers import parsed
from rootfs_trust.audit.verify.chain import read_chain
from rootfs_trust.audit.verify.verdicts import verdicts
from rootfs_trust.errors import InputError
from rootfs_trust.x509 import Block, blocks
from tests.limbo.cases import Case


def verdict(engine: str, case: Case) -> tuple[bool, str]:
    """Whether the engine trusts the server, and why."""
    roots = blocks("\n".join(case.roots).encode())
    ders = [each.der for each in roots if isinstance(each, Block)]
    anchors = tuple(Anchor(each, "roots.pem") for der in ders for each in parsed(der))
    client = Client(engine, engine, fixed(Found(anchors, "roots.pem")), options=OpenSslOptions(level=2))
    try:
        chain = read_chain("\n".join(case.chain).encode(), case.id)
    except InputError as error:
        return False, error.troubles[0].message
    (found,) = verdicts([client], chain, case.at, case.host, lambda _: None)
    return found.trusted, found.reason
