"""``rootfs-trust fleet``."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import datetime

import click

from rootfs_trust.audit.findings import LEVELS, WARNING
from rootfs_trust.cli.options import (
    at_option,
    dry_run_option,
    root_data_option,
    timestamp_of,
    timestamp_option,
    trees_of,
    verbosity_of,
    write_text,
)
from rootfs_trust.cli.output import QUIET, echo, echo_json
from rootfs_trust.cli.progress import Progress
from rootfs_trust.cli.table import Column, table
from rootfs_trust.fleet.messages import CHANGED, FAILED, SKIPPED, UNCHANGED, TargetResult
from rootfs_trust.fleet.run import Fleet, FleetOptions
from rootfs_trust.times import rfc3339

_STATUSES = {
    CHANGED: "written",
    UNCHANGED: "checked; no change needed",
    SKIPPED: "done before, and untouched since",
    FAILED: "unchanged, or as the reason says",
}


@click.command("fleet")
@click.argument("file", metavar="FILE")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of worker processes (default: one per CPU)."
)
@click.option("--dask", metavar="ADDRESS", help="Use the workers of this Dask scheduler: tcp://host:8786.")
@click.option("--journal", metavar="PATH", help="Journal of finished targets (default: FILE.done; none for --check).")
@click.option("--fresh", is_flag=True, help="Process every target, even if the journal says that it is finished.")
@at_option()
@timestamp_option()
@root_data_option
@dry_run_option
@click.option(
    "--check", "checking", is_flag=True, help="Change no target; check every target against its config, as check does."
)
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default=WARNING,
    show_default=True,
    help="With --check: report findings of this level or a more severe one.",
)
@click.option(
    "--who-trusts",
    metavar="ID",
    help="With --check: print only which clients trust an incident, sha256:HEX, spki:HEX or file:PATH, and the file.",
)
@click.option(
    "--report",
    metavar="FILE",
    help="With --check: also write a readable report to this file: HTML, or Markdown if its name ends in .md.",
)
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    expose_value=False,
    help="Format of error messages. Results are always JSON lines.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line of progress for every target.")
def command(
    file: str,
    jobs: int | None,
    dask: str | None,
    journal: str | None,
    fresh: bool,
    at: datetime | None,
    timestamp: datetime | None,
    root_data: str | None,
    dry_run: bool,
    checking: bool,
    fail_on: str,
    who_trusts: str | None,
    report: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run install or image on every target of a fleet.toml, several at a time.

    Each target has a config (a rootfs-trust.toml). Standard output has one line of JSON per target, in the order of the
    file; progress and a summary go to standard error. Finished targets that have not changed since are skipped, so the
    same command resumes a run that was killed. With --check no target is changed, and each line has the findings of its
    target. With --check --journal PATH, the same command continues a check that was killed, and prints all results.
    Exit status: 0, or 1 if a target failed or, with --check, has findings.

    \b
    Examples:
      rootfs-trust fleet fleet.toml
      rootfs-trust fleet fleet.toml --jobs 8 --dry-run
      rootfs-trust fleet fleet.toml --dask tls://scheduler:8786
      rootfs-trust fleet fleet.toml --check --report fleet.html
      rootfs-trust fleet fleet.toml --check --who-trusts CVE-2026-111943
    """
    if jobs and dask:
        raise click.UsageError("--jobs and --dask exclude each other; the number of workers of a cluster is fixed")
    # This process is long-lived, and futures create reference cycles.
    gc.enable()
    options = FleetOptions(jobs, dask, journal, fresh, at, timestamp_of(timestamp), dry_run, root_data)
    if not checking and (who_trusts or report) is not None:
        raise click.UsageError("--who-trusts and --report need --check")
    verbosity = verbosity_of(quiet, verbose)
    if checking:
        return _check(file, options, who_trusts, fail_on, report, verbosity)
    return _change(Fleet(file, options), verbosity)


def _change(fleet: Fleet, verbosity: int) -> int:
    failed: list[TargetResult] = []
    counts = dict.fromkeys(_STATUSES, 0)
    with Progress(len(fleet.targets), verbosity) as progress:
        for result in fleet.run():
            progress.clear()
            echo_json(_document(result), indent=None)
            counts[result.status] += 1
            failed += [result] if result.status == FAILED else []
            progress.advance(result.target, result.status, counts[FAILED])
    if verbosity > QUIET:
        for line in _summary(counts, failed):
            echo(line, err=True)
    return 1 if failed else 0


def _check(file: str, options: FleetOptions, who: str | None, fail_on: str, report: str | None, verbosity: int) -> int:
    from rootfs_trust.cli.fleet_check import print_fleet_check
    from rootfs_trust.fleet.check import FleetCheck
    from rootfs_trust.fleet.summary import FleetSummary

    fleet = FleetCheck(file, options, who=who, fail_on=fail_on)
    summary = FleetSummary(file, fleet.at)
    if report is not None:
        summary.render("md")  # a package that is missing is reported before the work
    if fleet.continued is not None and verbosity > QUIET:
        echo(f"rootfs-trust: continues the check of {rfc3339(fleet.continued)}; --fresh starts a new one", err=True)
    status = print_fleet_check(fleet, summary, who=who is not None, verbosity=verbosity)
    if report is not None:
        trees = [folder for target in fleet.targets for folder in trees_of(target.path, target.states)]
        write_text(report, summary.render("md" if report.endswith(".md") else "html"), dict.fromkeys(trees))
    return status


def _document(result: TargetResult) -> dict[str, str | None]:
    return {"target": result.target, "status": result.status, "digest": result.digest, "error": result.error}


def _summary(counts: dict[str, int], failed: list[TargetResult]) -> Iterator[str]:
    """Return a table with the number of targets of each status, and one with each failed target and the reason."""
    columns = (Column("STATUS", 0), Column("TARGETS", 0, right=True), Column("", 1))
    yield from table(columns, [(status, str(counts[status]), _STATUSES[status]) for status in _STATUSES], None)
    if failed:
        yield ""
        rows = [(each.target, each.error or "") for each in failed]
        yield from table((Column("FAILED", 0), Column("REASON", 1)), rows, None)
