"""``rootfs-trust sbom``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.sbom import FORMATS, sbom
from rootfs_trust.cli.files import write_file
from rootfs_trust.cli.options import parse_time, state_option, timestamp_of
from rootfs_trust.cli.output import printable


@click.command("sbom")
@click.option("--root", required=True, metavar="DIR", help="The root filesystem to look at.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where the document goes instead of standard output.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="CycloneDX 1.6 in JSON, or SPDX 3.0.1 in JSON-LD.",
)
@click.option("--config", metavar="FILE", help="A rootfs-trust.toml whose anchors are marked as its own.")
@click.option(
    "--timestamp",
    type=parse_time,
    metavar="TIME",
    help="The time in the document; wins over SOURCE_DATE_EPOCH, and without both it is 1970-01-01.",
)
@state_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    root: str,
    output: str,
    format_: str,
    config: str | None,
    timestamp: datetime | None,
    states: tuple[str, ...],
    quiet: bool,
) -> None:
    """Write what a root filesystem trusts as a software bill of materials.

    Every trusted certificate is in it, with where it comes from and which files hold it. The same tree gives the same
    bytes on any host.

    \b
    Examples:
      rootfs-trust sbom --root ./rootfs -o trust.cdx.json
      rootfs-trust sbom --root ./rootfs --format spdx -o trust.spdx.json
    """
    text = sbom(root, format_, config=config, states=states, timestamp=timestamp_of(timestamp))
    write_file(output, text)
    if not quiet and output != "-":
        click.echo(f"Wrote {printable(output)}.")
