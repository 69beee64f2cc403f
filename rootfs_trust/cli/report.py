"""``rootfs-trust report``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.report import ReportOptions, render_report, report
from rootfs_trust.cli.files import write_file
from rootfs_trust.cli.options import parse_time, state_option
from rootfs_trust.cli.output import printable


@click.command("report")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem to look at.")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where the page goes; - is standard output.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["html", "md"]),
    help="html, or md for pull requests; by default what the name of FILE says, else html.",
)
@click.option("--baseline", metavar="DIR", help="Tell the differences to this tree, such as the last release's.")
@click.option(
    "--lifetime",
    type=click.IntRange(0, 100),
    default=10,
    show_default=True,
    metavar="YEARS",
    help="How long images of this tree are to live.",
)
@click.option("--config", metavar="FILE", help="Read this file instead of ./rootfs-trust.toml.")
@click.option("--at", type=parse_time, metavar="TIME", help="Judge at this time instead of now.")
@state_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    root: str,
    output: str,
    format_: str | None,
    baseline: str | None,
    lifetime: int,
    config: str | None,
    at: datetime | None,
    states: tuple[str, ...],
    quiet: bool,
) -> None:
    """Write one page that tells people what a root filesystem trusts.

    The page holds every anchor on a line of time, the findings of check with their mends, what each TLS client will
    see, and thin-edge.io's settings. It is one file without scripts, to be kept, mailed or printed.

    \b
    Examples:
      rootfs-trust report --root ./rootfs -o trust.html
      rootfs-trust report --root ./rootfs -o trust.md --baseline last-release/rootfs
      rootfs-trust report --root ./rootfs -o - --format md >> "$GITHUB_STEP_SUMMARY"
    """
    form = format_ or ("md" if output.endswith(".md") else "html")
    options = ReportOptions(at, lifetime, baseline, config, states)
    page = render_report(report(root, options), form)
    write_file(output, page)
    if not quiet and output != "-":
        click.echo(f"Wrote {printable(output)}.")
