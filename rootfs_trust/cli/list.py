"""``rootfs-trust list``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from rootfs_trust.api.clock import time_here
from rootfs_trust.api.list_anchors import list_anchors
from rootfs_trust.audit.trust import TrustedAnchor
from rootfs_trust.cli.anchors import COLUMNS, document, row
from rootfs_trust.cli.options import format_options, parse_time, state_option
from rootfs_trust.cli.output import echo_json, printable
from rootfs_trust.cli.table import table, terminal_width


@click.command("list")
@click.option("--root", required=True, metavar="DIR", help="The tree to look at: a folder, an image, or a rootfs tar.")
@click.option("--config", metavar="FILE", help="A rootfs-trust.toml whose anchors are marked as its own.")
@click.option("--at", type=parse_time, metavar="TIME", help="Count the days left from this time instead of now.")
@state_option
@format_options("text", "json", "csv")
def command(
    root: str,
    config: str | None,
    at: datetime | None,
    states: tuple[str, ...],
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """List every anchor that a root filesystem trusts, in whichever output it is found.

    The table fits the terminal, and leaves out what does not; --format json and csv have everything. -v adds the
    subject of each anchor, -q leaves out the count.

    \b
    Examples:
      rootfs-trust list --root ./rootfs
      rootfs-trust list --root ./rootfs --format csv > anchors.csv
      rootfs-trust list --root ./rootfs --state overlay:/etc=./data/etc-upper
    """
    anchors = list_anchors(root, config=config, states=states)
    at = at or time_here()
    if format_ == "json":
        echo_json({"anchors": [document(anchor, at) for anchor in anchors]})
    elif format_ == "csv":
        _print_csv(anchors, at)
    else:
        _print_table(anchors, at, verbose=verbose)
        if not quiet:
            click.echo(f"{len(anchors)} anchor{'' if len(anchors) == 1 else 's'} in {printable(root)}.")


def _print_table(anchors: Sequence[TrustedAnchor], at: datetime, *, verbose: bool) -> None:
    if not anchors:
        return
    rows = [tuple(map(printable, row(anchor, at))) for anchor in anchors]
    heading, *lines = table(COLUMNS, rows, terminal_width())
    click.echo(heading)
    for anchor, line in zip(anchors, lines, strict=True):
        click.echo(line)
        if verbose:
            click.echo(f"    {printable(anchor.certificate.subject.text)}")


def _print_csv(anchors: Sequence[TrustedAnchor], at: datetime) -> None:
    """RFC 4180; lists are joined by spaces, and the first line names the columns."""
    import csv
    import sys

    documents = [document(anchor, at) for anchor in anchors]
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for each in documents:
        writer.writerow([_cell(each[name]) for name in CSV_COLUMNS])


CSV_COLUMNS = (
    "name",
    "subject",
    "issuer",
    "subject_hash",
    "subject_hash_old",
    "sha256",
    "key",
    "signature",
    "not_before",
    "not_after",
    "days_left",
    "purposes",
    "origin",
    "outputs",
)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)
