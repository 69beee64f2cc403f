"""Files on the host that a command is told to write."""

from __future__ import annotations

import os

import click

from rootfs_trust.image.destination import Destination


def write_file(path: str, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all; ``-`` is standard output. Raises ApplyError.

    What is there and is no regular file, such as a pipe or ``/dev/null``, is written to and not replaced.
    """
    data = text.encode("utf-8", "backslashreplace")
    if path == "-":
        click.echo(data, nl=False)
    elif os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb") as file:
            file.write(data)
    else:
        Destination(os.path.realpath(path), overwrite=True).put_file((data,))
