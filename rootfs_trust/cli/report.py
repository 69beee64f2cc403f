"""``rootfs-trust report``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.report import ReportOptions, render_report, report
from rootfs_trust.cli.options import (
    at_option,
    config_option,
    root_data_option,
    root_option,
    state_option,
    trees_of,
    write_text,
)
from rootfs_trust.cli.output import echo


@click.command("report")
@root_option("The root filesystem: a directory, an archive or an image file (FILE#N: partition N).")
@click.option("-o", "--output", required=True, metavar="FILE", help="Write the report to FILE; - is standard output.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["html", "md"]),
    help="html, or md for pull requests; default: by the suffix of FILE, else html.",
)
@click.option("--baseline", metavar="DIR", help="Also report the differences from this tree, such as the last release.")
@click.option(
    "--lifetime",
    type=click.IntRange(0, 100),
    default=10,
    show_default=True,
    metavar="YEARS",
    help="Expected lifetime of the image, in years.",
)
@config_option("Read this file instead of ./rootfs-trust.toml.")
@at_option("Evaluate at this time instead of now.")
@state_option
@root_data_option
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
def command(
    root: str,
    output: str,
    format_: str | None,
    baseline: str | None,
    lifetime: int,
    config: str | None,
    at: datetime | None,
    states: tuple[str, ...],
    root_data: str | None,
    quiet: bool,
) -> None:
    """Write a report of what a root filesystem trusts, as HTML or Markdown.

    The report has a timeline of all anchors, the findings of check with their fixes, what each TLS client will trust,
    and thin-edge.io's settings. It is one file without scripts, which you can archive, mail or print.

    \b
    Examples:
      rootfs-trust report --root ./rootfs -o trust.html
      rootfs-trust report --root ./rootfs -o trust.md --baseline last-release/rootfs
      rootfs-trust report --root ./rootfs -o - --format md >> "$GITHUB_STEP_SUMMARY"
    """
    form = format_ or ("md" if output.endswith(".md") else "html")
    options = ReportOptions(at, lifetime, baseline, config, states, root_data)
    page = render_report(report(root, options), form)
    write_text(output, page, trees_of(root, states, baseline))
    if not quiet and output != "-":
        echo(f"Wrote {output}.")
