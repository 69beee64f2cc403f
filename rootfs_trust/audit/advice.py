"""Finds the smallest set of anchors with which every server stays trusted, now and on a later day. Does no I/O.

For each client of each server, finds the sets of candidates that are sufficient. The advice is their smallest union.
Needs the extra ``verify``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

from rootfs_trust.audit.least_sets import Items, Requirement, least_sets
from rootfs_trust.audit.servers import ENDS, ClientResult, Server, ServerResult, judge_server
from rootfs_trust.audit.verify.verdict import named
from rootfs_trust.audit.verify.verdicts import related
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.clients.client import Client, ClientAnchor, FoundAnchors, fixed
from rootfs_trust.times import later
from rootfs_trust.x509 import Certificate

_LARGEST = 3
"""Maximum number of anchors that a client needs for one server, such as a root and an intermediate."""

_MOST_RELATED = 16
"""Maximum number of candidates related to one chain for which combinations are tried."""

_LOOKED = "the advised anchors"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate that may become an anchor; ``where`` is the file that it was read from."""

    name: str
    certificate: Certificate
    where: str
    configured: bool = False
    """Whether the config names it."""


class Need(NamedTuple):
    """A server, and its clients that would refuse it without an anchor. ``every`` is True if these are all clients."""

    server: str
    clients: tuple[str, ...]
    every: bool = False


class Advised(NamedTuple):
    """An anchor of the advice. If ``successor_of`` is set, no chain needs the anchor yet: it will replace the root of
    that name.
    """

    candidate: Candidate
    needs: tuple[Need, ...]
    successor_of: str = ""
    source: str = ""


class Advice(NamedTuple):
    """The proposed anchors. ``results`` are the verdicts of each server's clients if the store contains only these
    anchors.
    """

    anchors: tuple[Advised, ...]
    results: tuple[ServerResult, ...]

    @property
    def holds(self) -> bool:
        """Whether every server meets its expectation for each of its clients."""
        return all(each.holds and (each.server.refused or not each.absent) for each in self.results)


_Key = tuple[int, str]
"""The index of a server, and the name of a client."""


class Rehearsal:
    """Evaluates servers with any set of ``candidates``. A set contains indices of candidates; lower indices are
    preferred.

    If a server's own certificate expires before ``until``, the server is evaluated until then, with anchors that are
    valid until the day, because its operator renews the certificate. A later day in a ``[[server]]`` has priority.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        candidates: Sequence[Candidate],
        clients: Sequence[Client],
        versions: Versions,
        at: datetime,
        until: datetime,
    ) -> None:
        self._servers, self.candidates = servers, candidates
        self._clients, self._versions, self._at = clients, versions, at
        self._last = [max(until, each.until or until) for each in servers]
        self._anchors = [ClientAnchor(each.certificate, each.where) for each in candidates]
        self._known: dict[tuple[int, str, Items, bool], ClientResult] = {}
        every = range(len(candidates))
        self._related = [self._related_to(each, every) for each in range(len(servers))]
        self._harmless = frozenset(each for each in every if not self._harms(frozenset({each})))
        self._ways = {key: self._ways_of(*key) for key in self._requirements()}

    def advice(self) -> Advice:
        """Return the smallest set that meets every expectation that can be met."""
        sets = list(least_sets(way for way in self._ways.values() if way))
        chosen = next(filter(self._enough, sets), sets[0])
        anchors = (Advised(self.candidates[each], tuple(self._needs(each, chosen))) for each in sorted(chosen))
        return Advice(tuple(anchors), tuple(self._explained(each, chosen) for each in range(len(self._servers))))

    def renewed(self, server: int) -> bool:
        """Return whether the server's own certificate expires before the day."""
        end = self._servers[server].chain.server.not_after
        return end is not None and end <= self._last[server]

    def _requirements(self) -> Iterator[_Key]:
        for number, server in enumerate(self._servers):
            if not server.refused:
                yield from ((number, name) for name in self._names(server))

    def _names(self, server: Server) -> list[str]:
        """Return the clients of the server that the tree has."""
        names = dict.fromkeys(client.name for client in self._clients)
        return [name for name in names if not server.clients or name in server.clients]

    def _ways_of(self, server: int, client: str) -> Requirement:
        """Return the smallest sets with which the client trusts the server."""
        usable = sorted(self._related[server] & self._harmless)
        largest = _LARGEST if len(usable) <= _MOST_RELATED else 1
        found: list[Items] = []
        for size in range(1, largest + 1):
            for items in map(frozenset, combinations(usable, size)):
                if not any(way <= items for way in found) and not self._asked(server, client, items).problem:
                    found.append(items)
        return frozenset(found)

    def _related_to(self, server: int, every: Iterable[int]) -> Items:
        """Return the candidates that may be part of a path of the server."""
        numbers = {self._anchors[each].certificate.sha256: each for each in every}
        found = related(self._servers[server].chain.sent, self._anchors)
        return frozenset(numbers[each.certificate.sha256] for each in found)

    def _harms(self, items: Items) -> bool:
        """Return whether a client would trust a server that the config says must be refused."""
        refused = (each for each in enumerate(self._servers) if each[1].refused)
        return any(self._asked(number, name, items).problem for number, one in refused for name in self._names(one))

    def _enough(self, items: Items) -> bool:
        """Return whether the whole set meets all expectations that its parts meet. It may not, because some clients try
        only one path.
        """
        met = all(not self._asked(*key, items).problem for key, way in self._ways.items() if way)
        return met and not self._harms(items)

    def _needs(self, number: int, chosen: Items) -> Iterator[Need]:
        """Yield the clients for which no sufficient set is left without the anchor."""
        broken: dict[int, list[str]] = {}
        for (place, client), ways in self._ways.items():
            if ways and not any(way <= chosen - {number} for way in ways):
                broken.setdefault(place, []).append(client)
        for place, clients in broken.items():
            server = self._servers[place]
            yield Need(server.name, tuple(clients), len(clients) == len(self._names(server)))

    def _explained(self, number: int, chosen: Items) -> ServerResult:
        """Return the verdicts with the set ``chosen``; if no set is sufficient, with all candidates."""
        server = self._servers[number]
        names = self._names(server)
        results = (
            self._asked(number, name, chosen) if self._ways.get((number, name), True) else self._best(number, name)
            for name in names
        )
        absent = tuple(name for name in server.clients if name not in names)
        return ServerResult(expected(server, self._last[number]), tuple(results), absent)

    def _best(self, server: int, client: str) -> ClientResult:
        """Return the verdict with all candidates, for a client that refuses the server or whose anchor expires too
        early.
        """
        lasting, whole = (self._asked(server, client, self._related[server], lasting=each) for each in (True, False))
        if not lasting.problem or whole.problem:
            return lasting
        anchor = whole.verdict.path[-1]
        end = anchor.not_after.date() if anchor.not_after else "?"
        reason = f"{named(anchor)} ends on {end}, and no candidate lasts until {self._last[server].date()}"
        return ClientResult(whole.verdict, ENDS, reason)

    def _asked(self, server: int, client: str, items: Items, *, lasting: bool = True) -> ClientResult:
        """Return the client's verdict with these candidates. ``lasting``: without candidates that expire too early."""
        key = (server, client, items & self._related[server], lasting)
        if key not in self._known:
            self._known[key] = self._judged(*key)
        return self._known[key]

    def _judged(self, server: int, client: str, items: Items, lasting: bool) -> ClientResult:
        anchors, last = [self._anchors[each] for each in sorted(items)], self._last[server]
        if lasting and self.renewed(server):
            anchors = [each for each in anchors if each.certificate.not_after and each.certificate.not_after >= last]
        find = fixed(FoundAnchors(tuple(anchors), _LOOKED))
        clients = [replace(each, find=find) for each in self._clients if each.name == client]
        wanted = expected(self._servers[server], last)
        return judge_server(wanted, clients, self._at, _never, self._versions).clients[0]


def expected(server: Server, until: datetime) -> Server:
    """Return the server with the expectation to be trusted until that day or until its own certificate expires."""
    if server.refused:
        return server
    end = server.chain.server.not_after
    return replace(server, until=later(end, seconds=-1) if end is not None and end <= until else until)


def _never(_: Certificate) -> None:
    """Return None, because a distribution never removes the anchors of a config."""
