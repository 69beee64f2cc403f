"""``rootfs-trust init``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from rootfs_trust.api.init import Known, look, write_config
from rootfs_trust.cli.output import printable
from rootfs_trust.inputs.config import FILE_NAME


@click.command("init")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem that is to be set up.")
@click.option(
    "--cert",
    "certs",
    multiple=True,
    metavar="PATH",
    help="A CA certificate to trust, as for install; else it is asked.",
)
@click.option(
    "--cloud",
    "clouds",
    multiple=True,
    metavar="c8y|aws|az[@PROFILE]",
    help="A cloud of thin-edge.io; else it is asked.",
)
@click.option("--config", default=FILE_NAME, show_default=True, metavar="FILE", help="The file to write.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is not given is left out.")
def command(root: str, certs: tuple[str, ...], clouds: tuple[str, ...], config: str, no_input: bool) -> None:
    """Write a commented rootfs-trust.toml for a root filesystem.

    What the root filesystem tells is not asked: its layout, and the clouds that its thin-edge.io is set up for. A file
    that is there already is left alone. Where nobody can answer (no terminal) nothing is asked.

    \b
    Examples:
      rootfs-trust init --root ./rootfs
      rootfs-trust init --root ./rootfs --cert my-ca.pem --cloud c8y
    """
    known = look(root)
    if not no_input and sys.stdin.isatty():
        certs, clouds = _asked(known, certs, clouds)
    write_config(known, config, certs, clouds)
    click.echo(
        f"Wrote {printable(config)}; next: rootfs-trust install --root {printable(root)}{_with(config)} --dry-run"
    )


def _with(config: str) -> str:
    return "" if config == FILE_NAME else f" --config {printable(config)}"


def _asked(known: Known, certs: Sequence[str], clouds: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was not given on the command line, asked."""
    click.echo(f"{printable(known.system)}: layout {known.layout}, {known.anchors} anchors.")
    given = tuple(certs) or tuple(_answers("CA certificate to trust (file or folder; empty: no more)"))
    if clouds or known.clouds:
        return given, tuple(clouds)
    return given, tuple(_answers("Cloud of thin-edge.io (c8y, aws, az; empty: no more)"))


def _answers(question: str) -> Iterator[str]:
    while answer := click.prompt(question, default="", show_default=False).strip():
        yield answer
