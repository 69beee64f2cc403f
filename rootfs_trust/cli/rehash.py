"""``rootfs-trust rehash``."""

from __future__ import annotations

import click

from rootfs_trust.api.rehash import BOTH, NEW, OLD, rehash
from rootfs_trust.cli.options import dry_run_option, output_options, timestamp_of, verbosity_of
from rootfs_trust.cli.output import print_rehash


@click.command("rehash")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--root",
    metavar="ROOT",
    help="Root filesystem of a device. Each DIR is then a path on the device, and links are resolved inside it.",
)
@click.option("--old", is_flag=True, help="Use the hash of OpenSSL before 1.0.0 for the link names.")
@click.option("--compat", is_flag=True, help="Create links with both hashes.")
@dry_run_option
@output_options
def command(
    folders: tuple[str, ...],
    root: str | None,
    old: bool,
    compat: bool,
    dry_run: bool,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Create the hash links of directories, like openssl rehash and c_rehash, without OpenSSL.

    OpenSSL finds a CA in a directory by a link whose name is the hash of its subject. Each .pem, .crt, .cer or .crl
    file with one certificate or CRL gets its link. Links that are dangling or point to the wrong file are corrected.
    A file that gets no link is reported as a warning.

    \b
    Examples:
      rootfs-trust rehash /etc/mosquitto/ca
      rootfs-trust rehash --compat --dry-run certs/
      rootfs-trust rehash --root ./rootfs /etc/mosquitto/ca
    """
    if old and compat:
        raise click.UsageError("--old and --compat exclude each other")
    styles = BOTH if compat else OLD if old else NEW
    outcome = rehash(folders, root=root, styles=styles, timestamp=timestamp_of(None), dry_run=dry_run)
    print_rehash(outcome, folders, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
