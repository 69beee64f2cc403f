"""The options that say what is to be installed: those of ``install``, which ``image`` takes, too."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.options import Command, parse_time, timestamp_of

_OPTIONS = (
    click.option(
        "--cert",
        "certs",
        multiple=True,
        metavar="PATH",
        help="A CA certificate to trust: a PEM, DER or PKCS#7 file, a folder of them, or - for standard input.",
    ),
    click.option(
        "--cloud",
        "clouds",
        multiple=True,
        metavar="c8y|aws|az[@PROFILE]",
        help="Point thin-edge.io's settings for this cloud at the trust store.",
    ),
    click.option("--config", metavar="FILE", help="Read this file instead of ./rootfs-trust.toml."),
    click.option(
        "--layout", metavar="NAME", help="The distribution's layout; auto (the default) finds it in the rootfs."
    ),
    click.option("--set", "set", multiple=True, metavar="KEY=PATH", help="Set a trust setting of thin-edge.io."),
    click.option(
        "--set-at-run-time",
        multiple=True,
        metavar="KEY=PATH",
        help="The same, for a path on a volume that the image does not have yet.",
    ),
    click.option(
        "--replace",
        multiple=True,
        metavar="NAME",
        help="Let the given certificate take the place of the one called NAME.",
    ),
    click.option(
        "--thin-edge",
        type=click.Choice(["auto", "1", "2"]),
        default="auto",
        help="The form of thin-edge.io's settings: 1.x or 2.x; auto (the default) finds it in the rootfs.",
    ),
    click.option(
        "--settings-as",
        type=click.Choice(["file", "env"]),
        default="file",
        help="Write thin-edge.io's settings to its files, or as environment of its services under /usr.",
    ),
    click.option("--at", type=parse_time, metavar="TIME", help="Judge validity at this time instead of now."),
    click.option(
        "--timestamp",
        type=parse_time,
        metavar="TIME",
        help="Modification time of what is written; wins over SOURCE_DATE_EPOCH.",
    ),
    click.option("--adopt", is_flag=True, help="Rewrite untidy certificate files of the local folder as clean PEM."),
    click.option("--drop-unsourced", is_flag=True, help="Let certificates go that only the bundle holds."),
    click.option("--will-be-signed", is_flag=True, help="Replace files that carry an IMA or EVM signature, too."),
    click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing."),
)


def install_options(command: Command) -> Command:
    """Give ``command`` the options; what it gets by their names, :func:`read_install_options` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_install_options(given: dict[str, Any]) -> InstallOptions:
    """The values of the options, by the names of their parameters. Raises click.UsageError."""
    return InstallOptions(**{**given, "timestamp": timestamp_of(given["timestamp"])})
