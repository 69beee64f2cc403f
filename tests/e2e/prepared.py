"""The cases of the table made ready: prepared trees, and the servers that the clients are to reach."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from pathlib import Path

from rootfs_trust.layouts.tools import JAVA_HOOK
from rootfs_trust.store.java_keystore import SETTINGS
from tests.e2e.cases import CASES, Identity, Server
from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.overlay import BrokerOver
from tests.support.servers import free_port, https_server
from tests.support.thin_edge import root_cert_path

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class Target:
    """What a client is asked about: the trees whose trust it has, and a server at ``address`` called ``host``.

    ``at`` is the time that the clients' clock shows; None: that of this machine. An IPv6 address is in brackets.
    """

    at: datetime | None = None
    host = "localhost"
    address = "127.0.0.1"
    trees: Mapping[str, Path]
    port: int
    cloud: tuple[BrokerOver, int]
    """A broker as the cloud runs it, with the certificate of the server, and its port."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.stranger = self._write("stranger.pem", Authority("Nobody's CA").pem)
        """A file that trusts no server here: for clients that want one, and are to judge by a directory."""

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/"

    def root_cert_path(self, trust: str) -> str:
        """The setting as it was rendered into the tree."""
        return root_cert_path(self.trees[trust])

    def directory(self, name: str) -> Path:
        """A directory of the case's own."""
        path = self._directory / name
        path.mkdir(exist_ok=True)
        return path

    def _write(self, name: str, content: bytes) -> Path:
        file = self._directory / name
        file.write_bytes(content)
        return file


class Prepared(Target):
    """A case made ready: two trees prepared by ``install``, and its server, which runs until ``stack`` is closed.

    ``trees["directory"]`` has thin-edge.io's root_cert_path as ``--cloud`` sets it, ``trees["file"]`` at the bundle.
    """

    def __init__(self, case: str, directory: Path, stack: ExitStack) -> None:
        super().__init__(directory)
        self._stack = stack
        server = CASES[case][1]()
        self.shows, self.installed = server.shows, server.installed
        certificates = [self._write(f"ca-{number}.pem", pem) for number, pem in enumerate(server.installed)]
        given = [word for file in certificates for word in ("--cert", file)]
        given += ["--at", str(int(server.at.timestamp()))] if server.at else []
        self.chain = self._write("chain.pem", server.shows.pem)
        self.trees = {
            trust: self._tree(server, trust, *given, "--cloud", "c8y", *more)
            for trust, more in {"directory": (), "file": ("--set", f"c8y.root_cert_path={BUNDLE}")}.items()
        }
        self.port = stack.enter_context(https_server(server.shows, directory))  # type: ignore[arg-type]

    @cached_property
    def cloud(self) -> tuple[BrokerOver, int]:
        return cloud_broker(self.trees["directory"], self._directory / "cloud", self.shows, self.address, self._stack)

    def _tree(self, server: Server, name: str, *arguments: str | Path) -> Path:
        tree = DebianTree(self._directory / name)
        # What makes the device one that has Java, and a store for it.
        tree.write(JAVA_HOOK[1:], b"#!/bin/sh\n")
        tree.write(SETTINGS[1:], b"cacerts_updates=yes\n")
        tree.write("usr/bin/java", b"")
        for file, content in server.local.items():
            tree.write(f"usr/local/share/ca-certificates/{file}", content)
        install(tree.path, *arguments)
        if server.removed:
            done = rootfs_trust("remove", "--root", tree.path, *server.removed)
            assert done.returncode == 0, done.stderr.decode()
        return tree.path


def cloud_broker(
    tree: Path, directory: Path, server: Identity, address: str, stack: ExitStack
) -> tuple[BrokerOver, int]:
    """Start a broker that listens on ``address`` and shows the certificate of ``server``; return it and its port."""
    port = free_port()
    broker = BrokerOver(
        tree,
        directory,
        "cloud",
        # The key is root's; the broker would drop to the user mosquitto before it reads it.
        "user root",
        f"listener {port} {address}",
        "allow_anonymous true",
        f"certfile {directory / 'broker.pem'}",
        "ciphers DEFAULT:@SECLEVEL=0",  # weak certificates are shown, too
        f"keyfile {directory / 'broker.key'}",
    )
    (directory / "broker.pem").write_bytes(server.pem)
    (directory / "broker.key").write_bytes(server.key_pem)
    stack.enter_context(broker)
    broker.wait_for("mosquitto version .* running")
    return broker, port
