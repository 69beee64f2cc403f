"""``rootfs-trust install``."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.install import install, install_with_provenance
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.help_groups import GroupedCommand
from rootfs_trust.cli.install_options import install_options, read_install_options
from rootfs_trust.cli.options import output_options, root_option, verbosity_of, write_text
from rootfs_trust.cli.output import print_outcome
from rootfs_trust.errors import ApplyError
from rootfs_trust.outcome import Outcome


@click.command("install", cls=GroupedCommand)
@root_option()
@install_options
@click.option(
    "--provenance",
    metavar="FILE",
    help="Record what was installed, and from which inputs, as an in-toto statement with SLSA provenance.",
)
@output_options
def command(root: str, provenance: str | None, format_: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Add CA certificates to a root filesystem, and configure thin-edge.io to use them.

    Without --cert and --cloud, install rebuilds the trust store from what the rootfs already holds. A second run
    changes nothing. All problems are reported at once, before anything is written.

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
        write_text(file, text, [root])
    except ApplyError as error:
        done = "the root filesystem is complete, but the provenance"
        told = (each._replace(path=file, message=f"{done} {each.message}") for each in error.problems)
        raise ApplyError(*told) from error
    return outcome


def _refuse(root: str, options: InstallOptions, file: str) -> None:
    if options.dry_run:
        raise click.UsageError("--provenance and --dry-run exclude each other; a dry run installs nothing")
    if file == "-":
        raise click.UsageError("--provenance needs a file; standard output has the report")
    from rootfs_trust.api.output_file import place_in

    if place_in(file, [root]) is not None:
        raise click.UsageError(f"--provenance {file} is in the root filesystem; choose a path outside it")
