"""The servers of a report: each with its clients, in words and as bars on the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rootfs_trust.audit.servers import HOLDS, REFUSED, TRUSTED, ClientResult, ServerResult, ends_by_itself
from rootfs_trust.audit.timeline import Bar, Timeline


class ClientLine(NamedTuple):
    """One client: ``words`` is the verdict, ``why`` its reason; ``bar`` is None if the client refuses."""

    client: str
    as_expected: bool
    words: str
    why: str
    bar: Bar | None


class ServerLines(NamedTuple):
    """The part of a report about one server.

    ``answer``    whether the device connects to it, and until when.
    ``expected``  what the config asks for.
    ``summary``   how many clients do not meet it.
    """

    name: str
    hostname: str
    answer: str
    expected: str
    summary: str
    as_expected: bool
    clients: tuple[ClientLine, ...]

    @property
    def rows(self) -> tuple[ClientLine, ...]:
        """The clients, those with the same verdict and reason in one line."""
        names: dict[ClientLine, list[str]] = {}
        for client in self.clients:
            names.setdefault(client._replace(client=""), []).append(client.client)
        return tuple(line._replace(client=", ".join(found)) for line, found in names.items())


def server_lines(results: Iterable[ServerResult], timeline: Timeline) -> tuple[ServerLines, ...]:
    """Return the part of the report about each server. Servers that do not meet the expectation come first."""
    found = [_server(result, timeline) for result in results]
    return tuple(sorted(found, key=lambda each: each.as_expected))


def _server(result: ServerResult, timeline: Timeline) -> ServerLines:
    server = result.server
    until = f" until {server.until.date()}" if server.until else ""
    clients = (*(_client(result, each, timeline) for each in result.clients), *_absent(result))
    failing = sum(not each.as_expected for each in clients)
    summary = f"{failing} of {len(clients)} clients are not as expected" if failing else "every client is as expected"
    expected = "must be refused" if server.refused else f"must be trusted{until}"
    hostname = server.hostname or ""
    return ServerLines(server.name, hostname, _answer(result, clients), expected, summary, not failing, clients)


def _answer(result: ServerResult, clients: Sequence[ClientLine]) -> str:
    trusting = sum(each.verdict.trusted for each in result.clients)
    if not trusting:
        return "does not connect"
    if trusting < len(clients):
        return f"{trusting} of {len(clients)} clients connect"
    return f"connects until {result.trusted_until.date()}" if result.trusted_until else "connects"


def _absent(result: ServerResult) -> Iterable[ClientLine]:
    if not result.server.refused:
        yield from (ClientLine(name, False, "missing", "not in the root filesystem", None) for name in result.absent)


def _client(result: ServerResult, each: ClientResult, timeline: Timeline) -> ClientLine:
    verdict, end = each.verdict, each.verdict.horizon
    bar = timeline.trust(end.at if end else None, fails=bool(each.problem)) if verdict.trusted else None
    if each.problem == REFUSED or (each.problem == HOLDS and not verdict.trusted):
        return ClientLine(verdict.client, not each.problem, "refused", verdict.reason, None)
    words = "trusted"
    if end is not None:
        words = f"trusted until {'' if end.sure else 'about '}{end.at.date()}"
    return ClientLine(verdict.client, not each.problem, words, _why(result, each), bar)


def _why(result: ServerResult, each: ClientResult) -> str:
    end = each.verdict.horizon
    if each.problem != TRUSTED and ends_by_itself(result.server, each):
        return "then the server's own certificate ends, which its operator renews"
    return each.reason or (end.reason if end else each.verdict.reason)
