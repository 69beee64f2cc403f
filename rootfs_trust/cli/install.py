"""``rootfs-trust install``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from rootfs_trust.api.install import install, install_with_provenance
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.files import write_file
from rootfs_trust.cli.install_options import install_options, read_install_options
from rootfs_trust.cli.options import output_options, verbosity_of
from rootfs_trust.cli.output import print_outcome
from rootfs_trust.errors import ApplyError
from rootfs_trust.outcome import Outcome


@click.command("install")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem: what becomes / on the device.")
@install_options
@click.option(
    "--provenance",
    metavar="FILE",
    help="Write what was installed, and from which inputs, as an in-toto statement with SLSA provenance.",
)
@output_options
def command(root: str, provenance: str | None, format_: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Install CA certificates into a root filesystem, and point thin-edge.io at them.

    Without --cert and --cloud the trust store is rebuilt from what the rootfs already holds. A second run
    changes nothing. All trouble is collected and refused before anything is written.

    \b
    Examples:
      rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
      rootfs-trust install --root ./rootfs --cert certs/ --dry-run --format json
      rootfs-trust install --root ./rootfs --cert my-ca-2027.pem --replace my-ca
      rootfs-trust install --root ./rootfs --cert my-ca.pem --provenance trust.intoto.json
    """
    options = read_install_options(given)
    outcome = install(root, options) if provenance is None else _with_provenance(root, options, provenance)
    print_outcome(outcome, root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))


def _with_provenance(root: str, options: InstallOptions, file: str) -> Outcome:
    """Install, then write ``file``. Raises what ``install`` does, click.UsageError, and ApplyError for the file."""
    _refuse(root, options, file)
    outcome, text = install_with_provenance(root, options)
    try:
        write_file(file, text)
    except ApplyError as error:
        done = "the rootfs is as it should be, but its provenance"
        told = (replace(each, path=file, message=f"{done} {each.message}") for each in error.troubles)
        raise ApplyError(*told) from error
    return outcome


def _refuse(root: str, options: InstallOptions, file: str) -> None:
    if options.dry_run:
        raise click.UsageError("--provenance and --dry-run exclude each other: nothing would be installed")
    if file == "-":
        raise click.UsageError("--provenance takes a file: standard output has the report")
    place = os.path.realpath(root)
    if os.path.commonpath([place, os.path.realpath(file)]) == place:
        raise click.UsageError(f"--provenance {file} lies in the root filesystem: give a place outside of it")
