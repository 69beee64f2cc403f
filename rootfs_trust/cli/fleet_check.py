"""Output of ``fleet --check``: one line of JSON per target, and tables at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rootfs_trust.cli.check_output import document as finding_document
from rootfs_trust.cli.output import QUIET, echo, echo_json
from rootfs_trust.cli.progress import Progress
from rootfs_trust.cli.table import Column, table
from rootfs_trust.fleet.check import FleetCheck
from rootfs_trust.fleet.messages import FAILED, FINDINGS, OK, CheckResult, ServerState
from rootfs_trust.fleet.summary import FleetSummary, ServerSummary
from rootfs_trust.times import rfc3339

_FEW = 3
"""Maximum number of targets named in one row of a table."""

_STATUSES = {OK: "no finding", FINDINGS: "see the line of the target", FAILED: "could not be checked"}


def print_fleet_check(fleet: FleetCheck, summary: FleetSummary, *, who: bool, verbosity: int) -> int:
    """Check every target, print the results, and return the exit status. ``who``: ``--who-trusts`` was given."""
    with Progress(len(fleet.targets), verbosity) as progress:
        for result in fleet.run():
            progress.clear()
            echo_json(_document(result, who=who), indent=None)
            summary.add(result)
            progress.advance(result.target, result.status, summary.counts[FAILED])
    if verbosity > QUIET:
        for line in _lines(summary, who=who):
            echo(line, err=True)
    return int(summary.counts[OK] < len(fleet.targets))


def _document(result: CheckResult, *, who: bool) -> dict[str, object]:
    line: dict[str, object] = {
        "target": result.target,
        "status": result.status,
        "servers": [_server(each) for each in result.servers],
        "findings": [finding_document(finding) for finding in result.findings],
        "error": result.error,
    }
    if who:
        line["trusted_by"] = [trusting._asdict() for trusting in result.trusted_by]
    return line


def _server(state: ServerState) -> dict[str, object]:
    until = None if state.until is None else rfc3339(state.until)
    return {"name": state.name, "until": until, "refused_by": list(state.refused_by)}


def _lines(summary: FleetSummary, *, who: bool) -> Iterator[str]:
    """Return the tables: statuses; trusting clients, or kinds of findings; servers; failed targets."""
    rows = [(status, str(summary.counts[status]), text) for status, text in _STATUSES.items()]
    yield from table((Column("STATUS", 0), Column("TARGETS", 0, right=True), Column("", 1)), rows, None)
    if summary.trusting if who else summary.findings:
        yield ""
        yield from _who(summary) if who else _what(summary)
    if summary.servers:
        yield ""
        yield from _servers(summary.servers)
    if summary.failed:
        yield ""
        yield from table((Column("FAILED", 0), Column("REASON", 1)), summary.failed, None)


def _who(summary: FleetSummary) -> Iterator[str]:
    columns = (Column("TRUSTED BY", 0), Column("FILE", 0), Column("CERTIFICATE", 0), Column("TARGETS", 0, right=True))
    rows = [(each.client, each.path, each.name, str(count)) for each, count in summary.trusting.most_common()]
    yield from table(columns, rows, None)


def _servers(servers: Iterable[ServerSummary]) -> Iterator[str]:
    """Yield a table of the servers: how many targets trust each now, which do not, and on which days others stop."""
    columns = (Column("SERVER", 0), Column("TRUSTED BY", 0, right=True), Column("UNTIL", 0), Column("TARGETS", 1))
    rows = []
    for server in servers:
        for number, stop in enumerate(server.stops):
            first = (server.name, f"{server.trusted} targets") if number == 0 else ("", "")
            rows.append((*first, stop.words, _named(stop.targets)))
    yield from table(columns, rows, None)


def _what(summary: FleetSummary) -> Iterator[str]:
    columns = (Column("FINDING", 0), Column("LEVEL", 0), Column("TARGETS", 0, right=True))
    yield from table(columns, [(each.id, each.level, str(len(each.targets))) for each in summary.findings], None)


def _named(targets: Sequence[str]) -> str:
    more = f" and {len(targets) - _FEW} more" if len(targets) > _FEW else ""
    return f"{len(targets)}: {', '.join(targets[:_FEW])}{more}"
