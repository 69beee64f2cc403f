"""Print the advice, with the servers that need each anchor, as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.api.advise import AdviseResult
from rootfs_trust.api.advised_config import needed_for
from rootfs_trust.audit.advice import Advised
from rootfs_trust.audit.servers import ServerResult
from rootfs_trust.cli.output import QUIET, VERBOSE, coloured, echo, echo_json, print_warnings
from rootfs_trust.cli.verify_output import client_document, server_document
from rootfs_trust.text import printable
from rootfs_trust.times import rfc3339


def print_advice(result: AdviseResult, *, root: str | None, as_json: bool, verbosity: int) -> None:
    """Print the anchors, then the servers that do not meet their expectation, or with ``-v`` every server with its
    clients.
    """
    if as_json:
        echo_json(_document(result))
        return
    print_warnings(result.notes, verbosity)
    if verbosity > QUIET:
        for prefix, text in _lines(result, root, verbosity):
            echo(text, prefix=prefix)


def _lines(result: AdviseResult, root: str | None, verbosity: int) -> Iterator[tuple[str, str]]:
    anchors, servers = result.advice.anchors, result.servers
    yield "", f"{_count(len(anchors), 'anchor')} for {_count(len(servers), 'server')} until {result.until}:"
    for each in anchors:
        end = each.candidate.certificate.not_after
        yield "  ", f"{each.candidate.name}, until {end.date() if end else '?'}, from {each.candidate.where}"
        yield "      ", needed_for(each)
    for server in servers:
        yield from _server(server, verbosity)
    yield "", _summary(result, root)


def _server(result: ServerResult, verbosity: int) -> Iterator[tuple[str, str]]:
    for each in result.clients:
        if each.problem or verbosity >= VERBOSE:
            word = coloured("WRONG", "red") if each.problem else coloured("as expected", "green")
            text = f"{printable(result.server.name)}: {each.verdict.client}: {each.reason or each.verdict.reason}"
            yield f"{word}  ", text
    for name in result.absent if not result.server.refused else ():
        yield f"{coloured('WRONG', 'red')}  ", f"{result.server.name}: {name}: is not in the root filesystem"


def _summary(result: AdviseResult, root: str | None) -> str:
    if not result.holds:
        return "No set of these candidates is enough; nothing was written."
    how = f"in {root} as install would leave it" if root else "by the rules of the clients; --root judges a tree"
    written = f" Wrote {result.written}." if result.written else ""
    return f"Proven {how}: every client is as expected, now and until {result.until}.{written}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _document(result: AdviseResult) -> dict[str, object]:
    return {
        "anchors": [_anchor(each) for each in result.advice.anchors],
        "verdicts": [client_document(one, each) for one in result.servers for each in one.clients],
        "servers": [{**server_document(each), "absent": list(each.absent)} for each in result.servers],
        "notes": [
            {"id": each.id, "path": each.path, "message": each.message, "hint": each.hint} for each in result.notes
        ],
        "holds": result.holds,
        "at": rfc3339(result.at),
        "until": str(result.until),
        "written": result.written,
    }


def _anchor(advised: Advised) -> dict[str, object]:
    candidate = advised.candidate
    end = candidate.certificate.not_after
    return {
        "name": candidate.name,
        "sha256": candidate.certificate.sha256,
        "subject": candidate.certificate.subject.text,
        "not_after": rfc3339(end) if end else None,
        "from": candidate.where,
        "needed_for": [{"server": need.server, "clients": list(need.clients)} for need in advised.needs],
        "successor_of": advised.successor_of or None,
    }
