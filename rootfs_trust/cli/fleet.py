"""``rootfs-trust fleet``."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from datetime import datetime

import click

from rootfs_trust.cli.options import parse_time, timestamp_of, verbosity_of
from rootfs_trust.cli.output import QUIET, printable
from rootfs_trust.cli.progress import Progress
from rootfs_trust.cli.table import Column, table
from rootfs_trust.fleet.jobs import CHANGED, FAILED, SKIPPED, UNCHANGED, Result
from rootfs_trust.fleet.run import Fleet, FleetOptions

_STATUSES = {
    CHANGED: "written",
    UNCHANGED: "looked at, and as it should be",
    SKIPPED: "done before, and untouched since",
    FAILED: "left as it was, or as the reason says",
}


@click.command("fleet")
@click.argument("file", metavar="FILE")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes; by default one a processor.")
@click.option("--dask", metavar="ADDRESS", help="Let the workers of this Dask scheduler do it: tcp://host:8786.")
@click.option("--journal", metavar="PATH", help="Where is kept what is done; by default FILE.done.")
@click.option("--fresh", is_flag=True, help="Look at every target, also at those that the journal says are done.")
@click.option("--at", type=parse_time, metavar="TIME", help="Judge validity at this time instead of now.")
@click.option(
    "--timestamp",
    type=parse_time,
    metavar="TIME",
    help="Modification time of what is written; wins over SOURCE_DATE_EPOCH.",
)
@click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    expose_value=False,
    help="How a refusal is said; the lines of results are JSON in either case.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more: a line of progress for every target.")
def command(
    file: str,
    jobs: int | None,
    dask: str | None,
    journal: str | None,
    fresh: bool,
    at: datetime | None,
    timestamp: datetime | None,
    dry_run: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Do the job of install or image on every target of a fleet.toml, several at a time.

    Each target has a config (a rootfs-trust.toml). Standard output has a line of JSON a target, in the order of the
    file; progress and a summary go to standard error. What was done before and is untouched since is skipped, so that
    the same command continues a run that was killed. Exit status: 0, or 1 when a target failed.

    \b
    Examples:
      rootfs-trust fleet fleet.toml
      rootfs-trust fleet fleet.toml --jobs 8 --dry-run
      rootfs-trust fleet fleet.toml --dask tls://scheduler:8786
    """
    if jobs and dask:
        raise click.UsageError("--jobs and --dask exclude each other: a cluster has the workers that it has")
    # This process lives as long as the whole fleet, and futures make cycles.
    gc.enable()
    options = FleetOptions(jobs, dask, journal, fresh, at, timestamp_of(timestamp), dry_run)
    fleet = Fleet(file, options)
    verbosity = verbosity_of(quiet, verbose)
    failed: list[Result] = []
    counts = dict.fromkeys(_STATUSES, 0)
    with Progress(len(fleet.targets), verbosity) as progress:
        for result in fleet.run():
            progress.clear()
            click.echo(json.dumps(_document(result)))
            counts[result.status] += 1
            failed += [result] if result.status == FAILED else []
            progress.advance(result.target, result.status, counts[FAILED])
    if verbosity > QUIET:
        for line in _summary(counts, failed):
            click.echo(line, err=True)
    return 1 if failed else 0


def _document(result: Result) -> dict[str, str | None]:
    return {"target": result.target, "status": result.status, "digest": result.digest, "error": result.error}


def _summary(counts: dict[str, int], failed: list[Result]) -> Iterator[str]:
    """The table of the end: how many of each status, then each that failed with its reason."""
    columns = (Column("STATUS", 0), Column("TARGETS", 0, right=True), Column("", 1))
    yield from table(columns, [(status, str(counts[status]), _STATUSES[status]) for status in _STATUSES], None)
    if failed:
        yield ""
        rows = [(printable(each.target), printable(each.error or "")) for each in failed]
        yield from table((Column("FAILED", 0), Column("REASON", 1)), rows, None)
