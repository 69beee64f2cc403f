"""Prints verdicts: a line a client, or the contract's JSON document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from rootfs_trust.audit.verify.verdict import Horizon, Verdict, shown
from rootfs_trust.cli.output import QUIET, VERBOSE, echo_json, printable

if TYPE_CHECKING:
    from rootfs_trust.api.verify import Verification


def print_verification(verification: Verification, *, as_json: bool, verbosity: int) -> None:
    """What each client says."""
    if as_json:
        echo_json(_document(verification))
    elif verbosity > QUIET:
        for line in _lines(verification, verbosity):
            click.echo(line)


def _document(verification: Verification) -> dict[str, object]:
    return {
        "verdicts": [_verdict(each) for each in verification.verdicts],
        "server": {"subject": verification.chain.server.subject.text, "sha256": verification.chain.server.sha256},
        "hostname": verification.hostname,
        "at": shown(verification.at),
        "engine": verification.engine,
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "client": verdict.client,
        "trusted": verdict.trusted,
        "reason": verdict.reason,
        "id": verdict.id,
        "looked_in": verdict.looked,
        "note": verdict.note,
        "horizon": _horizon(verdict.horizon),
        "path": [each.sha256 for each in verdict.path],
    }


def _horizon(horizon: Horizon | None) -> dict[str, object] | None:
    if horizon is None:
        return None
    return {"at": shown(horizon.at), "reason": horizon.reason, "sure": horizon.sure}


def _lines(verification: Verification, verbosity: int) -> Iterator[str]:
    server = verification.chain.server
    host = f" as {verification.hostname}" if verification.hostname else ", its name not checked"
    yield printable(f"{server.subject.text or server.sha256}{host}, at {shown(verification.at)}:")
    width = max(len(each.client) for each in verification.verdicts)
    for verdict in verification.verdicts:
        yield f"  {verdict.client:<{width}}  {_word(verdict)}  {printable(verdict.reason)}"
        indent = " " * (width + 13)
        if verdict.horizon:
            about = "until" if verdict.horizon.sure else "until about"
            yield f"{indent}{about} {verdict.horizon.at:%Y-%m-%d}: {printable(verdict.horizon.reason)}"
        if verdict.note:
            yield f"{indent}{printable(verdict.note)}"
    if verbosity >= VERBOSE:
        yield f"judged for OpenSSL's clients by {verification.engine}"
    yield _summary(verification)


def _summary(verification: Verification) -> str:
    refusing = sum(not each.trusted for each in verification.verdicts)
    count = len(verification.verdicts)
    return f"{count} clients trust it." if not refusing else f"{refusing} of {count} clients refuse it."


def _word(verdict: Verdict) -> str:
    word, colour = ("trusted", "green") if verdict.trusted else ("REFUSED", "red")
    return word if os.environ.get("NO_COLOR") else click.style(word, fg=colour)
