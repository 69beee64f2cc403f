"""The verdicts of `verify`'s engines on the cases."""

from __future__ import annotations

import os
from pathlib import Path

from rootfs_trust.audit.verify.assumed_versions import Version, numbers_in
from rootfs_trust.audit.verify.chain import read_chain
from rootfs_trust.audit.verify.verdicts import verdicts
from rootfs_trust.audit.verify.versions import Assumed
from rootfs_trust.clients.client import Client, ClientAnchor, FoundAnchors, OpenSslOptions, fixed
from rootfs_trust.clients.pem_readers import parsed
from rootfs_trust.errors import InputError
from rootfs_trust.x509 import Block, blocks
from tests.limbo.cases import Case

MACHINE = {
    "openssl": "3.0.22",
    "gnutls": "3.7.9",
    "go": "1.26.8",
    "rustls": "0.103.13",
    "java": "17.0.15",
    "mbedtls": "2.28.3",
}
"""The versions of the real clients with which the engines are compared, unless a variable names others."""


def machine(engine: str) -> str:
    """The version of the real client that is asked; see tests/limbo/real.py for the variables."""
    if engine == "go" and "LIMBO_GO" in os.environ:
        return os.environ["LIMBO_GO"].removeprefix("go")
    if engine == "java" and "LIMBO_JAVA" in os.environ:
        release = Path(os.environ["LIMBO_JAVA"]).parents[1] / "release"
        return release.read_text().partition('JAVA_VERSION="')[2].partition('"')[0]
    return MACHINE[engine]


class Fixed(Assumed):
    """A rootfs with these versions, such as ``1.26.8``; ``variant`` is that of the tables of algorithms."""

    def __init__(self, version: str, variant: str = "") -> None:
        self._numbers, self._variant = numbers_in(version), variant

    def of(self, client: Client) -> Version:
        assumed = super().of(client)
        return assumed._replace(numbers=self._numbers, newest=self._numbers, place="a file", variant=self._variant)


def verdict(engine: str, case: Case, versions: Assumed | None = None) -> tuple[bool, str]:
    """Whether the engine trusts the server, and why."""
    roots = blocks("\n".join(case.roots).encode())
    ders = [each.der for each in roots if isinstance(each, Block)]
    anchors = tuple(ClientAnchor(each, "roots.pem") for der in ders for each in parsed(der))
    client = Client(engine, engine, fixed(FoundAnchors(anchors, "roots.pem")), options=OpenSslOptions(level=2))
    try:
        chain = read_chain("\n".join(case.chain).encode(), case.id)
    except InputError as error:
        return False, error.problems[0].message
    versions = versions or Fixed(machine(engine))
    (found,) = verdicts([client], chain, case.at, case.host, lambda _: None, versions)
    return found.trusted, found.reason
