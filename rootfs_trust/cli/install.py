"""``rootfs-trust install``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.options import output_options, parse_time, timestamp_of, verbosity_of
from rootfs_trust.cli.output import print_outcome


@click.command("install")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem: what becomes / on the device.")
@click.option(
    "--cert",
    "certs",
    multiple=True,
    metavar="PATH",
    help="A CA certificate to trust: a PEM, DER or PKCS#7 file, a folder of them, or - for standard input.",
)
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    metavar="c8y|aws|az[@PROFILE]",
    help="Point thin-edge.io's settings for this cloud at the trust store.",
)
@click.option("--config", metavar="FILE", help="Read this file instead of ./rootfs-trust.toml.")
@click.option("--layout", metavar="NAME", help="The distribution's layout; auto (the default) finds it in the rootfs.")
@click.option("--set", "set_", multiple=True, metavar="KEY=PATH", help="Set a trust setting of thin-edge.io.")
@click.option(
    "--set-at-run-time",
    multiple=True,
    metavar="KEY=PATH",
    help="The same, for a path on a volume that the image does not have yet.",
)
@click.option(
    "--replace", multiple=True, metavar="NAME", help="Let the given certificate take the place of the one called NAME."
)
@click.option(
    "--thin-edge",
    type=click.Choice(["auto", "1", "2"]),
    default="auto",
    help="The form of thin-edge.io's settings: 1.x or 2.x; auto (the default) finds it in the rootfs.",
)
@click.option(
    "--settings-as",
    type=click.Choice(["file", "env"]),
    default="file",
    help="Write thin-edge.io's settings to its files, or as environment of its services under /usr.",
)
@click.option("--at", type=parse_time, metavar="TIME", help="Judge validity at this time instead of now.")
@click.option(
    "--timestamp",
    type=parse_time,
    metavar="TIME",
    help="Modification time of what is written; wins over SOURCE_DATE_EPOCH.",
)
@click.option("--adopt", is_flag=True, help="Rewrite untidy certificate files of the local folder as clean PEM.")
@click.option("--drop-unsourced", is_flag=True, help="Let certificates go that only the bundle holds.")
@click.option("--will-be-signed", is_flag=True, help="Replace files that carry an IMA or EVM signature, too.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
@output_options
def command(
    root: str,
    certs: tuple[str, ...],
    clouds: tuple[str, ...],
    config: str | None,
    layout: str | None,
    set_: tuple[str, ...],
    set_at_run_time: tuple[str, ...],
    replace: tuple[str, ...],
    thin_edge: str,
    settings_as: str,
    at: datetime | None,
    timestamp: datetime | None,
    adopt: bool,
    drop_unsourced: bool,
    will_be_signed: bool,
    dry_run: bool,
    format_: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Install CA certificates into a root filesystem, and point thin-edge.io at them.

    Without --cert and --cloud the trust store is rebuilt from what the rootfs already holds. A second run
    changes nothing. All trouble is collected and refused before anything is written.

    \b
    Examples:
      rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
      rootfs-trust install --root ./rootfs --cert certs/ --dry-run --format json
      rootfs-trust install --root ./rootfs --cert my-ca-2027.pem --replace my-ca
    """
    options = InstallOptions(
        certs,
        clouds,
        config,
        layout,
        set_,
        set_at_run_time,
        replace,
        thin_edge,
        settings_as,
        at,
        timestamp_of(timestamp),
        adopt,
        drop_unsourced,
        will_be_signed,
        dry_run,
    )
    outcome = install(root, options)
    print_outcome(outcome, root, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
