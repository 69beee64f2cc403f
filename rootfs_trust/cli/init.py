"""``rootfs-trust init``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from rootfs_trust.api.init import RootfsFacts, detect_settings, write_config
from rootfs_trust.cli.options import root_option
from rootfs_trust.cli.output import echo
from rootfs_trust.inputs.config import FILE_NAME


@click.command("init")
@root_option("The root filesystem that is to be set up.")
@click.option(
    "--cert",
    "certs",
    multiple=True,
    metavar="PATH",
    help="A CA certificate to trust, as for install. If omitted, init asks for one.",
)
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    metavar="c8y|aws|az[@PROFILE]",
    help="A cloud of thin-edge.io. If omitted, init asks for one.",
)
@click.option(
    "--fetch",
    "servers",
    multiple=True,
    metavar="HOST:PORT",
    help="Connect to this server, save its chain next to the file, and write a [[server]] table, which check uses.",
)
@click.option("--config", default=FILE_NAME, show_default=True, metavar="FILE", help="The file to write.")
@click.option("--no-input", is_flag=True, help="Do not ask for anything.")
def command(
    root: str,
    certs: tuple[str, ...],
    clouds: tuple[str, ...],
    servers: tuple[str, ...],
    config: str,
    no_input: bool,
) -> None:
    """Write a commented rootfs-trust.toml for a root filesystem.

    init does not ask for what it can read from the root filesystem: its layout, and the clouds that thin-edge.io is
    configured for. It never overwrites a file. Without a terminal it asks nothing.

    \b
    Examples:
      rootfs-trust init --root ./rootfs
      rootfs-trust init --root ./rootfs --cert my-ca.pem --cloud c8y
      rootfs-trust init --root ./rootfs --cert my-ca.pem --fetch mqtt.example.com:8883
    """
    known = detect_settings(root)
    if not no_input and sys.stdin.isatty():
        certs, clouds = _asked(known, certs, clouds)
    write_config(root, known, config, certs, clouds, servers)
    option = "" if config == FILE_NAME else f" --config {config}"
    echo(f"Wrote {config}; next: rootfs-trust install --root {root}{option} --dry-run")


def _asked(known: RootfsFacts, certs: Sequence[str], clouds: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask for certificates and clouds that were not given on the command line."""
    echo(f"{known.system}: layout {known.layout}, {known.anchors} anchors.")
    given = tuple(certs) or tuple(_answers("CA certificate to trust (file or directory; empty to continue)"))
    if clouds or known.clouds:
        return given, tuple(clouds)
    return given, tuple(_answers("Cloud of thin-edge.io (c8y, aws, az; empty to continue)"))


def _answers(question: str) -> Iterator[str]:
    while answer := click.prompt(question, default="", show_default=False).strip():
        yield answer
