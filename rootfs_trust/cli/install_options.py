"""Options of ``install`` and ``image`` that select what is installed."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.options import (
    Command,
    at_option,
    config_option,
    dry_run_option,
    root_data_option,
    runtimes_of,
    runtimes_option,
    timestamp_of,
    timestamp_option,
    will_be_signed_option,
)

_OPTIONS = (
    click.option(
        "--cert",
        "certs",
        multiple=True,
        metavar="PATH",
        help="A CA certificate to trust: a file (PEM, DER, PKCS#7, keystore, zip), a directory, or - for stdin.",
    ),
    click.option(
        "--cloud",
        "clouds",
        multiple=True,
        metavar="c8y|aws|az[@PROFILE]",
        help="Set thin-edge.io's trust settings for this cloud to the trust store.",
    ),
    config_option("Read this file instead of ./rootfs-trust.toml."),
    click.option("--layout", metavar="NAME", help="The distribution's layout. auto (the default) detects it."),
    click.option("--set", "set", multiple=True, metavar="KEY=PATH", help="Set a trust setting of thin-edge.io."),
    click.option(
        "--set-at-run-time",
        multiple=True,
        metavar="KEY=PATH",
        help="Like --set, for a path on a volume that is mounted later.",
    ),
    click.option(
        "--replace",
        multiple=True,
        metavar="NAME",
        help="Replace the installed certificate called NAME with the given one.",
    ),
    click.option(
        "--permit",
        multiple=True,
        metavar="NAME",
        help="Trust the CAs of --cert only for this DNS name with its subdomains, or this IP network.",
    ),
    click.option(
        "--thin-edge",
        type=click.Choice(["auto", "1", "2"]),
        default="auto",
        help="Write thin-edge.io's settings for 1.x or 2.x. auto (the default) detects the version.",
    ),
    click.option(
        "--settings-as",
        type=click.Choice(["file", "env"]),
        default="file",
        help="Write thin-edge.io's settings to its files, or as environment variables of its services, under /usr.",
    ),
    runtimes_option,
    at_option(),
    timestamp_option(),
    click.option(
        "--adopt", is_flag=True, help="Rewrite malformed certificate files in the anchor source directory as clean PEM."
    ),
    click.option(
        "--drop-unsourced", is_flag=True, help="Drop certificates that are in the bundle but in no source file."
    ),
    will_be_signed_option,
    root_data_option,
    dry_run_option,
)


def install_options(command: Command) -> Command:
    """Add the install options to ``command``. Pass its keyword arguments to :func:`read_install_options`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_install_options(given: dict[str, Any]) -> InstallOptions:
    """Read the options from ``given``, the keyword arguments of the command. Raises click.UsageError."""
    read = {"timestamp": timestamp_of(given["timestamp"]), "runtimes": runtimes_of(given["runtimes"])}
    return InstallOptions(**{**given, **read})
