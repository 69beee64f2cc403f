"""``rootfs-trust list``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.list_anchors import list_anchors
from rootfs_trust.audit.root_status import STATUSES, RootStatus, root_status
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.cli.anchors import COLUMNS, listed, row
from rootfs_trust.cli.options import (
    at_option,
    config_option,
    format_options,
    root_data_option,
    root_option,
    state_option,
)
from rootfs_trust.cli.output import echo, echo_json
from rootfs_trust.cli.table import table, terminal_width
from rootfs_trust.inputs.root_data import load_root_data
from rootfs_trust.text import as_cell, did_you_mean
from rootfs_trust.x509.constrained import original_of, scope_of


def _statuses(_: click.Context, __: click.Parameter, given: str | None) -> tuple[str, ...]:
    words = STATUSES if given is None else tuple(given.split(","))
    for word in words:
        if word not in STATUSES:
            near = did_you_mean(word, STATUSES) or f"statuses: {', '.join(STATUSES)}"
            raise click.UsageError(f'unknown status "{word}"; {near}')
    return words


@click.command("list")
@root_option("The root filesystem: a directory, an archive or an image file (FILE#N: partition N).")
@config_option("A rootfs-trust.toml whose anchors are marked as its own.")
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME",
    help="List only what this client trusts. Can be repeated.",
)
@at_option("Count the days left from this time instead of now.")
@state_option
@click.option(
    "--status",
    "statuses",
    metavar="WORD[,WORD]...",
    callback=_statuses,
    help=f"List only anchors with these statuses in the table of public roots: {', '.join(STATUSES)}.",
)
@root_data_option
@format_options("text", "json", "csv", quiet="Omit the number of anchors.", verbose="Also print subjects and reasons.")
def command(
    root: str,
    config: str | None,
    at: datetime | None,
    states: tuple[str, ...],
    clients: tuple[str, ...],
    statuses: tuple[str, ...],
    root_data: str | None,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """List every anchor that a TLS client of a root filesystem trusts, and the clients that trust it.

    The table omits columns that do not fit on the terminal; --format json and csv have everything.

    \b
    Examples:
      rootfs-trust list --root ./rootfs
      rootfs-trust list --root ./rootfs --format csv > anchors.csv
      rootfs-trust list --root ./rootfs --client go
      rootfs-trust list --root ./rootfs --status removed,compromised
      rootfs-trust list --root ./rootfs --state overlay:/etc=./data/etc-upper
    """
    at = at or utc_now()
    anchors = list_anchors(root, config=config, states=states, clients=clients, root_data=root_data, at=at)
    data = load_root_data(root_data)
    judged = [(anchor, root_status(data, anchor.certificate)) for anchor in anchors]
    judged = [(anchor, status) for anchor, status in judged if status.word in statuses]
    if format_ == "json":
        echo_json({"anchors": [listed(anchor, at, status) for anchor, status in judged]})
    elif format_ == "csv":
        _print_csv(judged, at)
    else:
        _print_table(judged, at, verbose=verbose)
        if not quiet:
            echo(f"{len(judged)} anchor{'' if len(judged) == 1 else 's'} in {root}.")


def _print_table(judged: Sequence[tuple[TrustedAnchor, RootStatus]], at: datetime, *, verbose: bool) -> None:
    if not judged:
        return
    rows = [row(anchor, at, status) for anchor, status in judged]
    heading, *lines = table(COLUMNS, rows, terminal_width())
    echo(heading)
    for (anchor, status), line in zip(judged, lines, strict=True):
        echo(line)
        if original_of(anchor.certificate):
            echo(f"    trusted {scope_of(anchor.certificate)}")
        if verbose:
            echo(f"    {anchor.certificate.subject.text}")
        if verbose and status.reason:
            echo(f"    {status.reason}")


def _print_csv(judged: Sequence[tuple[TrustedAnchor, RootStatus]], at: datetime) -> None:
    """Print the anchors as CSV (RFC 4180). The first line has the column names; lists are joined by spaces."""
    import csv
    import sys

    documents = [listed(anchor, at, status) for anchor, status in judged]
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
    "clients",
    "status",
    "status_reason",
)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return as_cell(" ".join(value))
    return as_cell(value) if isinstance(value, str) else "" if value is None else str(value)
