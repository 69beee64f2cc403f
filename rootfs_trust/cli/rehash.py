"""``rootfs-trust rehash``."""

from __future__ import annotations

import click

from rootfs_trust.api.rehash import BOTH, NEW, OLD, rehash
from rootfs_trust.cli.options import output_options, timestamp_of, verbosity_of
from rootfs_trust.cli.output import print_rehash


@click.command("rehash")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option("--old", is_flag=True, help="Name the links by the hash that OpenSSL used before 1.0.0.")
@click.option("--compat", is_flag=True, help="Make links of both kinds.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
@output_options
def command(
    folders: tuple[str, ...], old: bool, compat: bool, dry_run: bool, format_: str, quiet: bool, verbose: bool
) -> None:
    """Make the hash links of folders, as openssl rehash and c_rehash do, without OpenSSL.

    OpenSSL finds a CA in a folder by a link that is named by the hash of its subject. Each .pem, .crt, .cer or
    .crl file with one certificate or CRL gets its link; links that lead nowhere or to the wrong file are put
    right in the same run. A file that gets no link is a warning.

    \b
    Examples:
      rootfs-trust rehash /etc/mosquitto/ca
      rootfs-trust rehash --compat --dry-run certs/
    """
    if old and compat:
        raise click.UsageError("--old and --compat exclude each other")
    styles = BOTH if compat else OLD if old else NEW
    outcome = rehash(folders, styles=styles, timestamp=timestamp_of(None), dry_run=dry_run)
    print_rehash(outcome, folders, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
