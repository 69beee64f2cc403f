"""``rootfs-trust check``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from rootfs_trust.api.check import CheckOptions, check
from rootfs_trust.audit.findings import ERROR, LEVELS, NOTE, WARNING, Finding
from rootfs_trust.cli import sarif
from rootfs_trust.cli.options import format_options, parse_time, state_option
from rootfs_trust.cli.output import echo_json, printable

_COLOURS = {ERROR: "red", WARNING: "yellow", NOTE: "cyan"}
_FEW = 3
"""So many notes of one kind are named one by one; more are counted, unless -v asks for each."""


@click.command("check")
@click.option(
    "--root", required=True, metavar="DIR", help="The root filesystem to look at: a folder, an image or a tar file."
)
@click.option(
    "--config", metavar="FILE", help="A rootfs-trust.toml: its policy, and the anchors that have to be there."
)
@click.option("--at", type=parse_time, metavar="TIME", help="Judge validity at this time instead of now.")
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default=WARNING,
    show_default=True,
    help="From which level on the exit status is 1.",
)
@click.option("--select", multiple=True, metavar="ID", help="Look for this finding alone; may be given several times.")
@click.option("--ignore", multiple=True, metavar="ID", help="Leave this finding out; may be given several times.")
@state_option
@format_options("text", "json", "sarif")
def command(
    root: str,
    config: str | None,
    at: datetime | None,
    fail_on: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    states: tuple[str, ...],
    format_: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Find what is wrong with the trust store and the trust settings of a root filesystem.

    Each finding has an id, which docs/findings.md explains, and says how to mend it; -v says why it matters, too,
    and names every note. Without --config the rootfs-trust.toml of the current folder is used where there is one.
    Exit status: 0 nothing from the level of --fail-on on, 1 findings.

    \b
    Examples:
      rootfs-trust check --root ./rootfs
      rootfs-trust check --root ./rootfs --fail-on error --ignore expires-soon
      rootfs-trust check --root ./rootfs --at 2030-01-01 --format json
      rootfs-trust check --root ./rootfs --format sarif > trust.sarif
    """
    found = check(root, CheckOptions(at=at, config=config, select=select, ignore=ignore, states=states))
    if format_ == "json":
        echo_json({"findings": [document(finding) for finding in found]})
    elif format_ == "sarif":
        echo_json(sarif.document(found))
    elif not quiet:
        for line in _lines(found, verbose=verbose):
            click.echo(line)
        click.echo(_summary(found, printable(root)))
    return int(any(LEVELS.index(finding.level) <= LEVELS.index(fail_on) for finding in found))


def document(finding: Finding) -> dict[str, object]:
    """The JSON of one finding."""
    return {
        "id": finding.id,
        "level": finding.level,
        "path": finding.path,
        "line": finding.line or None,
        "message": finding.message,
        "why": finding.kind.why,
        "mend": finding.mend,
    }


def _lines(found: Sequence[Finding], *, verbose: bool) -> Iterator[str]:
    counts = Counter((finding.level, finding.id) for finding in found)
    told = set()
    for finding in found:
        if verbose or finding.level != NOTE or counts[NOTE, finding.id] <= _FEW:
            yield from _finding(finding, verbose=verbose)
        elif finding.id not in told:
            told.add(finding.id)
            yield f"{_level(NOTE)} {finding.id}: {counts[NOTE, finding.id]} times; -v names each"


def _finding(finding: Finding, *, verbose: bool) -> Iterator[str]:
    line = f":{finding.line}" if finding.line else ""
    yield f"{_level(finding.level)} {finding.id}: {printable(finding.path)}{line}: {printable(finding.message)}"
    if verbose:
        yield f"    why: {printable(finding.kind.why)}"
    if verbose or finding.level != NOTE:
        yield f"    mend: {printable(finding.mend)}"


def _level(level: str) -> str:
    return level if os.environ.get("NO_COLOR") else click.style(level, fg=_COLOURS[level])


def _summary(found: Sequence[Finding], root: str) -> str:
    counts = Counter(finding.level for finding in found)
    parts = [f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in LEVELS if counts[level]]
    return f"{', '.join(parts) or 'Nothing found'} in {root}."
