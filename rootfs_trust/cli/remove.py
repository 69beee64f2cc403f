"""``rootfs-trust remove``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.remove import remove
from rootfs_trust.cli.options import output_options, parse_time, timestamp_of, verbosity_of
from rootfs_trust.cli.output import print_outcome


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME|sha256:HEX...")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem: what becomes / on the device.")
@click.option(
    "--layout", default="auto", metavar="NAME", help="The distribution's layout; auto finds it in the rootfs."
)
@click.option(
    "--timestamp",
    type=parse_time,
    metavar="TIME",
    help="Modification time of what is written; wins over SOURCE_DATE_EPOCH.",
)
@click.option("--will-be-signed", is_flag=True, help="Replace files that carry an IMA or EVM signature, too.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
@output_options
def command(
    names: tuple[str, ...],
    root: str,
    layout: str,
    timestamp: datetime | None,
    will_be_signed: bool,
    dry_run: bool,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Take anchors out of a root filesystem, or distrust those that the distribution ships.

    NAME takes the anchor that was installed under it, or else the shipped one; sha256:HEX takes every copy of a
    certificate. The trust is gone from the bundle, the hash links and whatever else the layout writes, and the
    next version of the distribution's package does not bring it back.

    \b
    Examples:
      rootfs-trust remove --root ./rootfs my-ca
      rootfs-trust remove --root ./rootfs mozilla/Certigna.crt
    """
    outcome = remove(
        root,
        names,
        layout=layout,
        timestamp=timestamp_of(timestamp),
        will_be_signed=will_be_signed,
        dry_run=dry_run,
    )
    print_outcome(outcome, root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
