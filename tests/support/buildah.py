"""Debian's buildah with its own store: no daemon, no network, no mounts.

The recipes name images as their users do (``python:3.13-slim``). What is in the store under such a name is a
look-alike that the tests make, so nothing is pulled.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer

_STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/graph"\nrunroot = "{0}/run"\n'


class Buildah:
    """``environment`` makes the plain command ``buildah`` use the store below ``folder``."""

    def __init__(self, directory: Path) -> None:
        needs_root()
        self._program = peer("buildah")
        conf = directory / "storage.conf"
        conf.write_text(_STORAGE.format(directory))
        self.environment = {
            **PLAIN_ENVIRONMENT,
            "HOME": str(directory),
            "CONTAINERS_STORAGE_CONF": str(conf),
            "BUILDAH_ISOLATION": "chroot",
        }

    def __call__(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self._program, *map(str, words)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done

    def make_image(self, name: str, tree: Path, *config: str) -> None:
        """An image of one layer, the files of ``tree``; ``config`` are options of ``buildah config``."""
        container = self("from", "scratch").stdout.strip()
        self("add", "--quiet", container, tree, "/")
        self("config", "--os=linux", *config, container)
        self("commit", "--quiet", "--rm", container, name)

    def layout(self, container: str, path: Path) -> None:
        """Commit a container and write the image to the OCI image layout ``path``, tagged 1."""
        image = f"localhost/{path.name}"
        self("commit", "--quiet", "--timestamp=1700000000", container, image)
        self("push", "--quiet", image, f"oci:{path}:1")

    def inspect(self, image: str) -> dict[str, Any]:
        """What the image's manifest and config say."""
        found: dict[str, Any] = json.loads(self("inspect", "--type=image", image).stdout)
        return found

    @contextlib.contextmanager
    def container(self, image: str) -> Iterator[str]:
        """A container of ``image``, in which programs run with the image's user and environment."""
        name = self("from", "--pull-never", image).stdout.strip()
        try:
            yield name
        finally:
            self("rm", name)

    def run(self, image: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of ``image`` in it, on the network of this machine; the exit status is the caller's."""
        with self.container(image) as name:
            return self("run", name, "--", *words, check=False)

    @contextlib.contextmanager
    def files(self, image: str) -> Iterator[Path]:
        """The merged files of ``image``, a copy."""
        with self.container(image) as name:
            yield Path(self("mount", name).stdout.strip())
