"""``verify``: would the device trust this server? One verdict a client, offline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.api.clock import time_here
from rootfs_trust.api.sources import open_view
from rootfs_trust.audit.clients.all_clients import NAMES, clients_of
from rootfs_trust.audit.clients.client import Client
from rootfs_trust.audit.clients.reading import Reading
from rootfs_trust.audit.verify import openssl_engine
from rootfs_trust.audit.verify.chain import Chain, read_chain
from rootfs_trust.audit.verify.shipped import Shipped
from rootfs_trust.audit.verify.verdict import Verdict
from rootfs_trust.audit.verify.verdicts import verdicts
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.inputs.files import read_inputs
from rootfs_trust.rootfs.nodes import View


class Verification(NamedTuple):
    """The verdicts, in the order of the clients' names; ``engine`` is the OpenSSL that judged for OpenSSL's clients."""

    verdicts: tuple[Verdict, ...]
    chain: Chain
    at: datetime
    hostname: str | None
    engine: str

    @property
    def trusted(self) -> bool:
        """Whether every client trusts the server."""
        return all(each.trusted for each in self.verdicts)


def verify(
    root: str,
    chain: str,
    *,
    hostname: str | None = None,
    at: datetime | None = None,
    clients: Sequence[str] = (),
    states: Sequence[str] = (),
) -> Verification:
    """Judge the saved chain in the file ``chain`` for the clients of ``root``: for all, or those that are named.

    Without ``hostname`` the name in the certificate is not checked; without ``at`` the host's clock is asked.
    ``states`` are laid over the tree, see :mod:`rootfs_trust.rootfs.state`. Raises InputError.
    """
    openssl_engine.require()
    saved = read_chain(_content(chain), chain)
    with open_view(root, states) as tree:
        return verify_in(tree, saved, hostname, at or time_here(), clients)


def verify_in(view: View, chain: Chain, hostname: str | None, at: datetime, names: Sequence[str] = ()) -> Verification:
    """The same for a tree that is at hand."""
    reading = Reading(view)
    clients = _chosen(list(clients_of(reading)), names)
    given = tuple(verdicts(clients, chain, at, hostname, Shipped(reading)))
    return Verification(given, chain, at, hostname, openssl_engine.version())


def _content(path: str) -> bytes:
    found = read_inputs([path])
    if found.troubles:
        raise InputError(*found.troubles)
    if len(found.files) != 1:
        raise InputError(Trouble("chain", path, "is a folder", "give the one file that holds the server's chain"))
    return found.files[0].data


def _chosen(clients: list[Client], names: Sequence[str]) -> list[Client]:
    there = {client.name for client in clients}
    unknown = [name for name in names if name not in there]
    if unknown:
        raise InputError(*(_no_client(name, there) for name in unknown))
    return [client for client in clients if not names or client.name in names]


def _no_client(name: str, there: set[str]) -> Trouble:
    listed = ", ".join(each for each in NAMES if each in there)
    what = f"the rootfs has no client {name}" if name in NAMES else f"no client is called {name}"
    return Trouble("client", "", what, f"clients here: {listed}")
