"""``rootfs-trust image``."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.image import install_image
from rootfs_trust.cli.help_groups import GroupedCommand
from rootfs_trust.cli.install_options import install_options, read_install_options
from rootfs_trust.cli.options import output_options, verbosity_of
from rootfs_trust.cli.output import print_image_outcome


@click.command("image", cls=GroupedCommand)
@click.argument("source", metavar="SOURCE")
@click.argument("dest", metavar="DEST")
@install_options
@click.option(
    "--without",
    multiple=True,
    metavar="ANCHOR",
    help="Remove this anchor from the image; named as for remove. Can be repeated.",
)
@click.option(
    "--env",
    "environment",
    is_flag=True,
    help="Set environment variables in the image config for pip, Node.js, Java and others with their own trust store.",
)
@output_options
def command(source: str, dest: str, environment: bool, format_: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Add CA certificates to a container image, an archive or a file system image: no daemon, any architecture.

    SOURCE is an OCI image layout (a directory or a tar file), an archive of docker save, or a root filesystem. A root
    filesystem is a directory, a tar or cpio archive (plain, gzip, zstd or xz), or an image file. An image file is an
    ext2/3/4, squashfs or erofs image, or a disk image with an ext partition (FILE#N). DEST has the same format. Each
    platform of a container image gets one more layer. DEST must not exist, unless it already is what would be written.

    \b
    Examples:
      rootfs-trust image ./app ./app-with-ca --cert my-ca.pem
      rootfs-trust image app.tar app-with-ca.tar --cert my-ca.pem --env
      rootfs-trust image rootfs.squashfs trusted.squashfs --cert my-ca.pem
      rootfs-trust image rootfs.tar.zst trusted.tar.zst --cert my-ca.pem --cloud c8y
    """
    outcome = install_image(source, dest, read_install_options(given), environment=environment)
    print_image_outcome(outcome, dest, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
