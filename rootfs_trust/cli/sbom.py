"""``rootfs-trust sbom``."""

from __future__ import annotations

from datetime import datetime

import click

from rootfs_trust.api.sbom import FORMATS, sbom
from rootfs_trust.cli.options import (
    config_option,
    root_data_option,
    root_option,
    state_option,
    timestamp_of,
    timestamp_option,
    trees_of,
    write_text,
)
from rootfs_trust.cli.output import echo


@click.command("sbom")
@root_option("The root filesystem: a directory, an archive or an image file (FILE#N: partition N).")
@click.option(
    "-o", "--output", default="-", metavar="FILE", help="Write the document to FILE (default: standard output)."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="CycloneDX 1.6 in JSON, or SPDX 3.0.1 in JSON-LD.",
)
@config_option("A rootfs-trust.toml whose anchors are marked as its own.")
@timestamp_option("The time in the document; wins over SOURCE_DATE_EPOCH, and without both it is 1970-01-01.")
@state_option
@root_data_option
@click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
def command(
    root: str,
    output: str,
    format_: str,
    config: str | None,
    timestamp: datetime | None,
    states: tuple[str, ...],
    root_data: str | None,
    quiet: bool,
) -> None:
    """Write what a root filesystem trusts as a software bill of materials.

    It contains every trusted certificate, with its origin and the files that hold it. The same tree gives the same
    bytes on any host.

    \b
    Examples:
      rootfs-trust sbom --root ./rootfs -o trust.cdx.json
      rootfs-trust sbom --root ./rootfs --format spdx -o trust.spdx.json
    """
    time = timestamp_of(timestamp)
    text = sbom(root, format_, config=config, states=states, timestamp=time, root_data=root_data)
    write_text(output, text, trees_of(root, states), time)
    if not quiet and output != "-":
        echo(f"Wrote {output}.")
