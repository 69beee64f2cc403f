"""Print verdicts: one line per client, or one JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from rootfs_trust.audit.verify.verdict import TrustEnd, Verdict
from rootfs_trust.cli.output import QUIET, VERBOSE, coloured, echo, echo_json
from rootfs_trust.cli.table import terminal_width
from rootfs_trust.text import printable
from rootfs_trust.times import rfc3339

if TYPE_CHECKING:
    from rootfs_trust.api.verify import ServersVerification, Verification
    from rootfs_trust.audit.servers import ClientResult, ServerResult


def print_verification(verification: Verification, *, as_json: bool, verbosity: int) -> None:
    """Print the verdict of each client."""
    if as_json:
        echo_json(_document(verification))
    elif verbosity > QUIET:
        for prefix, text in _lines(verification, verbosity):
            echo(text, prefix=prefix)


def _document(verification: Verification) -> dict[str, object]:
    return {
        "verdicts": [verdict_document(each) for each in verification.verdicts],
        "server": {"subject": verification.chain.server.subject.text, "sha256": verification.chain.server.sha256},
        "hostname": verification.hostname,
        "at": rfc3339(verification.at),
        "engine": verification.engine,
    }


def verdict_document(verdict: Verdict) -> dict[str, object]:
    """Return the JSON object of one verdict."""
    return {
        "client": verdict.client,
        "trusted": verdict.trusted,
        "reason": verdict.reason,
        "id": verdict.id,
        "looked_in": verdict.searched,
        "note": verdict.note,
        "horizon": _horizon(verdict.horizon),
        "path": [each.sha256 for each in verdict.path],
    }


def _horizon(horizon: TrustEnd | None) -> dict[str, object] | None:
    if horizon is None:
        return None
    return {"at": rfc3339(horizon.at), "reason": horizon.reason, "sure": horizon.sure}


def _lines(verification: Verification, verbosity: int) -> Iterator[tuple[str, str]]:
    """Return lines as arguments of :func:`echo`: a trusted prefix, which may have a colour, and other text."""
    server = verification.chain.server
    host = f" as {verification.hostname}" if verification.hostname else ", host name not checked"
    yield "", f"{server.subject.text or server.sha256}{host}, at {rfc3339(verification.at)}:"
    shared = _shared_horizon(verification)
    columns = terminal_width()
    wide = columns is None or verbosity >= VERBOSE
    names = max(len(printable(each.client)) for each in verification.verdicts)
    ends = [verdict.horizon if verdict.horizon != shared else None for verdict in verification.verdicts]
    if wide:
        for verdict, end in zip(verification.verdicts, ends, strict=True):
            yield from _full_lines(verdict, end, names)
    else:
        rows = [_row(verdict, end, names) for verdict, end in zip(verification.verdicts, ends, strict=True)]
        yield from _fitted(rows, (columns or 0) - names - 13, columns or 0)
    if shared:
        alone = all(each.horizon in (None, shared) for each in verification.verdicts)
        text = f"{'Trusted' if alone else 'The others trust it'} {_until(shared)}"
        yield from (("", line) for line in ([text] if wide else wrap(printable(text), columns or 0)))
    if verbosity >= VERBOSE:
        yield "", f"verdicts for OpenSSL's clients by {verification.engine}"
    yield "", _summary(verification)


def _full_lines(verdict: Verdict, end: TrustEnd | None, names: int) -> Iterator[tuple[str, str]]:
    """Yield all lines of one verdict. ``end`` is the day on which its trust ends, or None if that is not printed."""
    yield _head(verdict, names), _reason(verdict)
    indent = " " * (names + 13)
    if end:
        yield indent, _until(end)
    if verdict.note:
        yield indent, verdict.note


class _Row(NamedTuple):
    """One client in the output on a terminal. ``head`` has the client's name and one word for the verdict, ``day`` is
    the end of its trust. The text of a ``good`` verdict is shortened.
    """

    head: str
    day: str
    text: str
    good: bool


def _row(verdict: Verdict, end: TrustEnd | None, names: int) -> _Row:
    """Return the row of one verdict. ``end`` is the end of its trust, or None if the heading has it."""
    day = f"{_day(end)}, " if end else ""
    return _Row(_head(verdict, names), day, printable(_reason(verdict)), verdict.trusted)


def _fitted(rows: Iterable[_Row], left: int, columns: int) -> Iterator[tuple[str, str]]:
    """Return the rows in lines that fit the terminal, with ``left`` characters behind each head.

    A reason that is too long is wrapped below its clients. Clients with the same reason share it.
    """
    reasons: dict[str, list[str]] = {}
    for row in rows:
        text = row.day + row.text
        if row.good:
            yield row.head, row.day + _shortened(row.text, max(left - len(row.day), 12))
        elif len(text) <= left:
            yield row.head, text
        else:
            reasons.setdefault(text, []).append(row.head)
    for text, heads in reasons.items():
        yield from ((head.rstrip(), "") for head in heads)
        yield from (("      ", line) for line in wrap(text, max(columns - 6, 20), break_on_hyphens=False))


def _shortened(text: str, width: int) -> str:
    """Return ``text`` with its middle removed if it is too long. The path at its end is kept."""
    return text if len(text) <= width else f"{text[: width // 3]}…{text[width // 3 + 1 - width :]}"


def _head(verdict: Verdict, names: int) -> str:
    return f"  {printable(verdict.client):<{names}}  {_word(verdict)}  "


def _reason(verdict: Verdict) -> str:
    """Return the reason without the word that is printed before it."""
    return verdict.reason.removeprefix("trusted ") if verdict.trusted else verdict.reason


def _shared_horizon(verification: Verification) -> TrustEnd | None:
    """Return the end of trust that most clients share, which is printed once; None if no two share one."""
    counted = Counter(each.horizon for each in verification.verdicts if each.horizon)
    return next((horizon for horizon, count in counted.most_common(1) if count > 1), None)


def _until(horizon: TrustEnd) -> str:
    return f"{_day(horizon)}: {horizon.reason}"


def _day(horizon: TrustEnd) -> str:
    return f"until {'' if horizon.sure else 'about '}{horizon.at.date()}"


def _summary(verification: Verification) -> str:
    refusing = sum(not each.trusted for each in verification.verdicts)
    count = len(verification.verdicts)
    return f"{count} clients trust it." if not refusing else f"{refusing} of {count} clients refuse it."


def _word(verdict: Verdict) -> str:
    word, colour = ("trusted", "green") if verdict.trusted else ("REFUSED", "red")
    return coloured(word, colour)


# -- the servers of a config -----------------------------------------------------------------------------------


def print_servers(verification: ServersVerification, *, as_json: bool) -> None:
    """Print the verdicts of all clients for each server."""
    if as_json:
        echo_json(_servers_document(verification))
        return
    for result in verification.servers:
        for prefix, text in _server_lines(result):
            echo(text, prefix=prefix)
    failing = sum(not each.holds for each in verification.servers)
    count = len(verification.servers)
    echo(f"{failing} of {count} servers are not as expected." if failing else f"{count} servers are as expected.")


def _servers_document(verification: ServersVerification) -> dict[str, object]:
    return {
        "verdicts": [client_document(result, each) for result in verification.servers for each in result.clients],
        "servers": [server_document(each) for each in verification.servers],
        "at": rfc3339(verification.at),
        "engine": verification.engine,
    }


def client_document(result: ServerResult, client: ClientResult) -> dict[str, object]:
    """Return the verdict of one client about a server as JSON."""
    about = {"server": result.server.name, "problem": client.problem or None, "problem_reason": client.reason or None}
    return {**verdict_document(client.verdict), **about}


def server_document(result: ServerResult) -> dict[str, object]:
    """Return the JSON object of one server."""
    server = result.server
    return {
        "name": server.name,
        "hostname": server.hostname,
        "subject": server.chain.server.subject.text,
        "sha256": server.chain.server.sha256,
        "holds": result.holds,
        "until": rfc3339(server.until) if server.until else None,
        "trusted_until": rfc3339(result.trusted_until) if result.trusted_until else None,
        "refused_by": [each.verdict.client for each in result.clients if not each.verdict.trusted],
    }


def _server_lines(result: ServerResult) -> Iterator[tuple[str, str]]:
    """Return a line for the server, then one for each client."""
    server = result.server
    until = f" until {server.until.date()}" if server.until else ""
    yield "", f"{server.name} (must be {'refused' if server.refused else f'trusted{until}'}):"
    width = max((len(printable(each.verdict.client)) for each in result.clients), default=0)
    rows = [_server_row(each, width) for each in result.clients]
    columns = terminal_width()
    if columns is None:
        yield from ((row.head, row.text) for row in rows)
    else:
        yield from _fitted(rows, columns - width - 17, columns)
    for name in result.absent:
        yield f"  {printable(name)}  ", "is not in the root filesystem"


def _server_row(each: ClientResult, width: int) -> _Row:
    word = coloured("as expected", "green") if not each.problem else coloured("WRONG      ", "red")
    head = f"  {printable(each.verdict.client):<{width}}  {word}  "
    return _Row(head, "", printable(each.reason or _expected(each)), not each.problem)


def _expected(result: ClientResult) -> str:
    horizon = result.verdict.horizon
    if not result.verdict.trusted or horizon is None:
        return result.verdict.reason
    return f"{result.verdict.reason}, until {'' if horizon.sure else 'about '}{horizon.at.date()}"
