"""``rootfs-trust image``."""

from __future__ import annotations

from typing import Any

import click

from rootfs_trust.api.image import install_image
from rootfs_trust.cli.install_options import install_options, read_install_options
from rootfs_trust.cli.options import output_options, verbosity_of
from rootfs_trust.cli.output import print_image_outcome


@click.command("image")
@click.argument("source", metavar="SOURCE")
@click.argument("dest", metavar="DEST")
@install_options
@click.option(
    "--without",
    multiple=True,
    metavar="NAME|sha256:HEX",
    help="Take this anchor out of the image, as remove does.",
)
@click.option(
    "--env",
    "environment",
    is_flag=True,
    help="Set in the image's config the variables that pip, Node, Java and others with their own store obey.",
)
@output_options
def command(source: str, dest: str, environment: bool, format_: str, quiet: bool, verbose: bool, **given: Any) -> None:
    """Install CA certificates into a container image or a rootfs tar: no daemon, no root, any architecture.

    SOURCE is an OCI image layout (a folder or a tar file), an archive of docker save, the tar file of a root
    filesystem (plain, gzip, zstd or xz), or a folder; DEST gets the same form. An image gets one layer more, for each
    of its platforms. DEST must not exist, unless it is what would be written.

    \b
    Examples:
      rootfs-trust image ./app ./app-with-ca --cert my-ca.pem
      rootfs-trust image app.tar app-with-ca.tar --cert my-ca.pem --env
      rootfs-trust image rootfs.tar.zst trusted.tar.zst --cert my-ca.pem --cloud c8y
    """
    outcome = install_image(source, dest, read_install_options(given), environment=environment)
    print_image_outcome(outcome, dest, as_json=format_ == "json", verbosity=verbosity_of(quiet, verbose))
