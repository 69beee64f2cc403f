"""``rootfs-trust install``."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.install import install
from rootfs_trust.cli.install_options import install_options, read_install_options
from rootfs_trust.cli.options import output_options, verbosity_of
from rootfs_trust.cli.output import print_outcome


@click.command("install")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem: what becomes / on the device.")
@install_options
@output_options
def command(root: str, format_: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Install CA certificates into a root filesystem, and point thin-edge.io at them.

    Without --cert and --cloud the trust store is rebuilt from what the rootfs already holds. A second run
    changes nothing. All trouble is collected and refused before anything is written.

    \b
    Examples:
      rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
      rootfs-trust install --root ./rootfs --cert certs/ --dry-run --format json
      rootfs-trust install --root ./rootfs --cert my-ca-2027.pem --replace my-ca
    """
    outcome = install(root, read_install_options(given))
    print_outcome(outcome, root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
