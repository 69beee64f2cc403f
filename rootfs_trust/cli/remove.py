"""``rootfs-trust remove``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.remove import remove
from rootfs_trust.cli.options import (
    dry_run_option,
    output_options,
    root_data_option,
    root_option,
    runtimes_of,
    runtimes_option,
    timestamp_of,
    timestamp_option,
    verbosity_of,
    will_be_signed_option,
)
from rootfs_trust.cli.output import print_outcome


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="ANCHOR...")
@root_option()
@click.option("--layout", default="auto", metavar="NAME", help="The distribution's layout. auto detects it.")
@runtimes_option
@timestamp_option()
@will_be_signed_option
@root_data_option
@dry_run_option
@output_options
def command(
    names: tuple[str, ...],
    root: str,
    layout: str,
    runtimes: str | None,
    timestamp: datetime | None,
    will_be_signed: bool,
    root_data: str | None,
    dry_run: bool,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Remove anchors from a root filesystem, or distrust those that the distribution ships.

    ANCHOR is one of:

    \b
      NAME         the anchor installed with this name, or else the one that the distribution ships
      sha256:HEX   every copy of a certificate
      spki:HEX     every certificate with this key, including renewals and cross-signs
      file:PATH    the certificates in a file on the host, even if the rootfs does not hold them
      CVE-...      the certificates of an incident in the root data, or a root of it by name

    The anchor is removed from the bundle, the hash links and every other store file of the layout. The next version
    of the distribution's package does not bring it back. What install --runtimes added to the stores of runtimes is
    removed, too. With --runtimes, the runtimes' own copies of the certificate are also removed.

    \b
    Examples:
      rootfs-trust remove --root ./rootfs my-ca
      rootfs-trust remove --root ./rootfs mozilla/Certigna.crt
      rootfs-trust remove --root ./rootfs CVE-2026-111943
    """
    outcome = remove(
        root,
        names,
        layout=layout,
        timestamp=timestamp_of(timestamp),
        will_be_signed=will_be_signed,
        dry_run=dry_run,
        runtimes=runtimes_of(runtimes) or (),
        root_data=root_data,
    )
    print_outcome(outcome, root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
