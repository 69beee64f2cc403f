"""Evaluate servers that a tree must or must not trust, for each client, now and until a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import NamedTuple

from rootfs_trust.audit.verify.verdict import Verdict
from rootfs_trust.rootfs.device import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.audit.verify.chain import Chain
    from rootfs_trust.audit.verify.planned_removals import PlannedRemoval
    from rootfs_trust.audit.verify.versions import Versions
    from rootfs_trust.clients.client import Client
    from rootfs_trust.x509 import Certificate

HOLDS, REFUSED, ENDS, TRUSTED = "", "server-refused", "server-ends", "server-trusted"
"""Results for an expectation: HOLDS, or the id of a finding."""


@dataclass(frozen=True, slots=True)
class Server:
    """One ``[[server]]`` of rootfs-trust.toml, with its chain.

    ``clients``  names of clients; empty: every client of the tree.
    ``until``    the moment up to which they must trust the server; None: the time of the check.
    ``refused``  True: none of them may trust it.
    ``where``    the file and line of the table.
    """

    name: str
    chain: Chain
    hostname: str | None = None
    clients: tuple[str, ...] = ()
    until: datetime | None = None
    refused: bool = False
    where: str = ""


class ClientResult(NamedTuple):
    """The verdict of a client now. ``problem`` is one of the ids above, and ``reason`` explains it."""

    verdict: Verdict
    problem: str = HOLDS
    reason: str = ""


class ServerResult(NamedTuple):
    """The verdicts for a server. ``absent`` are clients that the table names, but the tree does not have."""

    server: Server
    clients: tuple[ClientResult, ...]
    absent: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every client meets the expectation."""
        return not any(each.problem for each in self.clients)

    @property
    def trusted_until(self) -> datetime | None:
        """The earliest time at which a client stops trusting the server. None if a client refuses it now, or if no end
        is known.
        """
        ends = [each.verdict.horizon.at for each in self.clients if each.verdict.horizon]
        return min(ends) if ends and all(each.verdict.trusted for each in self.clients) else None


def judge_servers(device: Device, servers: Sequence[Server], at: datetime) -> Iterator[ServerResult]:
    """Evaluate each server for its clients on ``device`` at the time ``at``. Needs the extra ``verify``."""
    from rootfs_trust.audit.verify.planned_removals import PlannedRemovals
    from rootfs_trust.audit.verify.versions import Versions
    from rootfs_trust.clients.all_clients import clients_by_scope
    from rootfs_trust.clients.file_readers import file_reader

    reading = file_reader(device)
    clients, shipped, versions = list(clients_by_scope(reading)), PlannedRemovals(reading), Versions(reading)
    for server in servers:
        yield judge_server(server, clients, at, shipped, versions)


def judge_server(
    server: Server,
    clients: Sequence[Client],
    at: datetime,
    leaves: Callable[[Certificate], PlannedRemoval | None],
    versions: Versions,
) -> ServerResult:
    """Evaluate one server for those of ``clients`` that its table names. ``leaves`` is as in ``verdicts``."""
    from rootfs_trust.audit.verify.verdicts import verdicts

    chosen = [each for each in clients if not server.clients or each.name in server.clients]
    now = list(verdicts(chosen, server.chain, at, server.hostname, leaves, versions))
    then: Iterable[Verdict | None] = repeat(None, len(now))
    if server.until is not None and server.until > at:
        then = verdicts(chosen, server.chain, server.until, server.hostname, leaves, versions)
    absent = tuple(name for name in server.clients if name not in {each.name for each in clients})
    return ServerResult(
        server, tuple(_result(server, each, later) for each, later in zip(now, then, strict=True)), absent
    )


def _result(server: Server, now: Verdict, then: Verdict | None) -> ClientResult:
    if server.refused:
        return ClientResult(now, TRUSTED, now.reason) if now.trusted else ClientResult(now)
    if not now.trusted:
        return ClientResult(now, REFUSED, now.reason)
    end = now.horizon
    if server.until is not None and end is not None and end.sure and end.at < server.until:
        return ClientResult(now, ENDS, f"only until {end.at.date()}: {end.reason}")
    if then is not None and not then.trusted:
        return ClientResult(now, ENDS, f"no longer on {_day(server.until)}: {then.reason}")
    return ClientResult(now)


def ends_by_itself(server: Server, result: ClientResult) -> bool:
    """Return whether trust ends because the server's own certificate expires, which its operator renews."""
    end = result.verdict.horizon
    return end is not None and end.at == server.chain.server.not_after


def _day(moment: datetime | None) -> str:
    return "" if moment is None else str(moment.date())
