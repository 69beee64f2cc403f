"""``verify``: check offline whether each TLS client of a tree would trust a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.api.clock import FIRST_BOOT, Moment, utc_now
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.api.servers import chain_file, read_servers
from rootfs_trust.audit.first_boot import first_boot_clock
from rootfs_trust.audit.servers import ServerResult, judge_servers
from rootfs_trust.audit.verify import openssl_engine
from rootfs_trust.audit.verify.chain import Chain
from rootfs_trust.audit.verify.host_names import is_host
from rootfs_trust.audit.verify.planned_removals import PlannedRemovals
from rootfs_trust.audit.verify.verdict import Verdict
from rootfs_trust.audit.verify.verdicts import verdicts
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.clients.all_clients import NAMES, clients_by_scope, unknown_client
from rootfs_trust.clients.client import Client
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.errors import CLOCK, HOSTNAME, USAGE, InputError, refuse
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import View


class Verification(NamedTuple):
    """The verdicts of all clients. ``engine`` is the version of OpenSSL that was used for OpenSSL's clients."""

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
    at: Moment = None,
    clients: Sequence[str] = (),
    states: Sequence[str] = (),
) -> Verification:
    """Evaluate the saved chain in the file ``chain`` for the clients of ``root``: all of them, or those named in
    ``clients``.

    Without ``hostname``, the name in the certificate is not checked. ``at`` defaults to the host's clock; "first-boot"
    is the time at which the clock of a device starts. ``states`` are merged into the tree, see
    :mod:`rootfs_trust.rootfs.device_state`. Raises InputError.
    """
    openssl_engine.require()
    if hostname is not None and not is_host(hostname):
        raise InputError(HOSTNAME("", f"{hostname} is not a host name"))
    saved = chain_file(chain)
    with open_view(root, states) as tree:
        return verify_in(tree, saved, hostname, moment_in(tree, at), clients)


class ServersVerification(NamedTuple):
    """The verdicts of the clients for each ``[[server]]`` of a config. ``engine`` is as in :class:`Verification`."""

    servers: tuple[ServerResult, ...]
    at: datetime
    engine: str

    @property
    def holds(self) -> bool:
        """Whether every server meets the expectation in the config."""
        return all(each.holds for each in self.servers)


def verify_servers(
    root: str, config: str | Config, *, at: Moment = None, states: Sequence[str] = ()
) -> ServersVerification:
    """Evaluate the servers of ``config``, a host path or a Config, for the clients of ``root``. Raises InputError."""
    openssl_engine.require()
    expected = load_config(config)
    with open_view(root, states) as tree:
        moment = moment_in(tree, at)
        servers = read_servers(expected, moment)
        if not servers:
            raise InputError(USAGE(expected.path, "has no [[server]]", "add one, or pass a saved chain with --chain"))
        return ServersVerification(
            tuple(judge_servers(Device(tree), servers, moment)), moment, openssl_engine.version()
        )


def moment_in(view: View, at: Moment) -> datetime:
    """Return the time that ``at`` means for the tree ``view``. Raises InputError if the clock of the first boot is
    unknown.
    """
    if at != FIRST_BOOT:
        return at or utc_now()
    clock = first_boot_clock(view)
    if clock is None:
        message = (
            "the rootfs does not show with which clock it starts: it has no /usr/lib/clock-epoch, /etc/timestamp, "
        )
        raise InputError(CLOCK("", f"{message}/etc/fake-hwclock.data or kernel with a date"))
    return clock.at


def verify_in(view: View, chain: Chain, hostname: str | None, at: datetime, names: Sequence[str] = ()) -> Verification:
    """Like :func:`verify`, for an open tree."""
    reading = FileReader(Device(view))
    clients = _chosen(list(clients_by_scope(reading)), names)
    given = tuple(verdicts(clients, chain, at, hostname, PlannedRemovals(reading), Versions(reading)))
    return Verification(given, chain, at, hostname, openssl_engine.version())


def _chosen(clients: list[Client], names: Sequence[str]) -> list[Client]:
    there = {client.name for client in clients}
    here = [name for name in NAMES if name in there]
    refuse(InputError, (unknown_client(name, here) for name in names if name not in there))
    return [client for client in clients if not names or client.name in names]
