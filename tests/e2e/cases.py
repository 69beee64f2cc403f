"""The servers of the table: what each shows, and what the device has installed to trust it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rootfs_trust.store.java import HOOK, SETTINGS
from tests.support.authority import Authority
from tests.support.command import install
from tests.support.debian_tree import DebianTree
from tests.support.overlay import BrokerOver
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.servers import free_port, https_server
from tests.support.thin_edge import root_cert_path

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Identity:
    """What a server shows: its chain as PEM, the server's own first, and its key."""

    pem: bytes
    key_pem: bytes


@dataclass(frozen=True)
class Server:
    """A server and the certificates that ``install`` is given for it."""

    shows: Identity
    installed: tuple[bytes, ...]


def _shown(server: Authority, *others: Authority) -> Identity:
    return Identity(b"".join(each.pem for each in (server, *others)), server.key_pem)


def _private_ca() -> Server:
    root = Authority("Private Root")
    return Server(_shown(root.server("localhost")), (root.pem,))


def _with_intermediate(sent: bool, root_installed: bool, intermediate_installed: bool) -> Server:
    root = Authority("Private Root")
    intermediate = Authority("Private Intermediate", issuer=root)
    installed = [root.pem] * root_installed + [intermediate.pem] * intermediate_installed
    return Server(_shown(intermediate.server("localhost"), *[intermediate] * sent), tuple(installed))


def _as_cumulocity_edge() -> Server:
    server = Authority("localhost", ca=False, names=("localhost",))
    return Server(_shown(server), (server.pem,))


def _as_openssl_req_makes_it() -> Server:
    """Self-signed with CA:TRUE, by the program that everyone uses and with its own defaults."""
    words = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout -"
    done = subprocess.run(
        [peer("openssl"), *words.split()], env=PLAIN_ENVIRONMENT, capture_output=True, timeout=60, check=True
    )
    both = done.stdout
    start = both.index(b"-----BEGIN CERTIFICATE")
    return Server(Identity(both[start:], both[:start]), (both[start:],))


def _stranger() -> Server:
    return Server(_shown(Authority("Private Root").server("localhost")), (Authority("Somebody Else").pem,))


CASES: dict[str, tuple[str, Callable[[], Server]]] = {
    "ca": ("A private CA", _private_ca),
    "sent": ("A CA with an intermediate, which the server sends", lambda: _with_intermediate(True, True, False)),
    "not-sent": ("The same, the server does not send it", lambda: _with_intermediate(False, True, False)),
    "both": ("Not sent, but installed beside the root", lambda: _with_intermediate(False, True, True)),
    "alone": ("Sent, and installed alone, without the root", lambda: _with_intermediate(True, False, True)),
    "edge": ("Self-signed, no CA, as Cumulocity Edge has", _as_cumulocity_edge),
    "self-ca": ("Self-signed with CA:TRUE, as `openssl req -x509` makes it", _as_openssl_req_makes_it),
    "stranger": ("Not installed", _stranger),
}


class Prepared:
    """A case made ready: two trees prepared by ``install``, and its server, which runs until ``stack`` is closed.

    ``trees["folder"]`` has thin-edge.io's root_cert_path as ``--cloud`` sets it, ``trees["file"]`` at the bundle.
    """

    def __init__(self, case: str, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        server = CASES[case][1]()
        self.shows, self.installed = server.shows, server.installed
        certificates = [self._write(f"ca-{number}.pem", pem) for number, pem in enumerate(server.installed)]
        given = [word for file in certificates for word in ("--cert", file)]
        self.trees = {
            trust: self._tree(trust, *given, "--cloud", "c8y", *more)
            for trust, more in {"folder": (), "file": ("--set", f"c8y.root_cert_path={BUNDLE}")}.items()
        }
        self.port = stack.enter_context(https_server(server.shows, folder))  # type: ignore[arg-type]
        self.stranger = self._write("stranger.pem", Authority("Nobody's CA").pem)
        """A file that trusts no server here: for clients that want one, and are to judge by a folder."""

    def root_cert_path(self, trust: str) -> str:
        """The setting as it was rendered into the tree."""
        return root_cert_path(self.trees[trust])

    @cached_property
    def cloud(self) -> tuple[BrokerOver, int]:
        """A broker as the cloud runs it, with the same certificate, and its port."""
        # The key is root's; the broker would drop to the user mosquitto before it reads it.
        chain = self._write("broker.pem", self.shows.pem)
        key = self._write("broker.key", self.shows.key_pem)
        port = free_port()
        lines = ("user root", f"listener {port} 127.0.0.1", "allow_anonymous true", f"certfile {chain}")
        broker = BrokerOver(self.trees["folder"], self._folder / "cloud", "cloud", *lines, f"keyfile {key}")
        self._stack.enter_context(broker)
        broker.wait_for("mosquitto version .* running")
        return broker, port

    def folder(self, name: str) -> Path:
        """A folder of the case's own."""
        path = self._folder / name
        path.mkdir(exist_ok=True)
        return path

    def _write(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        return file

    def _tree(self, name: str, *arguments: str | Path) -> Path:
        tree = DebianTree(self._folder / name)
        # What makes the device one that has Java, and a store for it.
        tree.write(HOOK[1:], b"#!/bin/sh\n")
        tree.write(SETTINGS[1:], b"cacerts_updates=yes\n")
        tree.write("usr/bin/java", b"")
        install(tree.path, *arguments)
        return tree.path
