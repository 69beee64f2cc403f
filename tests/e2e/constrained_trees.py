"""Constrained anchors on devices: one root filesystem for each list of names, and what ``verify`` says of each server.

``python -m tests.e2e.constrained_trees`` writes the table of docs/constrained-anchors.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rootfs_trust import InstallOptions, install, verify
from rootfs_trust.layouts.tools import JAVA_HOOK
from rootfs_trust.store.java_keystore import SETTINGS
from tests.limbo.constrained import LISTS, SERVERS, authority, pem_of, server_certificate
from tests.support.debian_tree import DebianTree

DOCUMENT = Path(__file__).parents[2] / "docs" / "constrained-anchors.md"
BEGIN, END = "<!-- table of clients -->\n", "<!-- end of the table -->\n"
CLIENTS = {
    "OpenSSL, file": "openssl-bundle",
    "OpenSSL, directory": "openssl-directory",
    "GnuTLS": "gnutls",
    "Go": "go",
    "rustls": "rustls-native",
    "Java": "java",
    "curl": "openssl-bundle",
    "mosquitto": "thin-edge-mosquitto-bridge",
    "Chromium": "chromium",
    "Mbed TLS": "mbedtls",
}
"""The columns of the table, and the client of ``verify`` that gives each of them."""

CELLS = [(names, server) for names in LISTS for server in SERVERS]


class Devices:
    """``trees`` has a root filesystem for each list of names, ``chains`` a saved chain for each server."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "company.pem").write_text(pem_of(authority("ECDSA")))
        self.trees = {names: self._device(names) for names in LISTS}
        self.chains = {server: self._chain(server) for server in SERVERS}

    def verdicts(self, names: str, server: str) -> dict[str, bool]:
        """Return for each of CLIENTS whether ``verify`` says that it trusts ``server``."""
        found = verify(str(self.trees[names]), str(self.chains[server]), hostname=SERVERS[server][1]).verdicts
        trusted = {each.client: each.trusted for each in found}
        return {client: trusted[name] for client, name in CLIENTS.items()}

    def _device(self, names: str) -> Path:
        """A device that has every client of the table, with the CA limited to a list of names."""
        tree = DebianTree(self._directory / names.replace("/", "-"))
        tree.write(JAVA_HOOK[1:], b"#!/bin/sh\n")
        tree.write(SETTINGS[1:], b"cacerts_updates=yes\n")
        tree.write("usr/bin/java", b"")
        tree.write("usr/lib/x86_64-linux-gnu/libmbedx509.so.1", b"")
        tree.write("usr/bin/chromium", b"")
        tree.write("etc/chromium/master_preferences", b"{}")
        config = self._directory / "rootfs-trust.toml"
        config.write_text("\n".join(_anchor_table(names)))
        install(tree.root, InstallOptions(config=str(config), clouds=["c8y"], runtimes=["chromium"]))
        return tree.path

    def _chain(self, server: str) -> Path:
        path = self._directory / f"{server}.pem"
        path.write_text(pem_of(server_certificate("ECDSA", server)))
        return path


def _anchor_table(names: str) -> Iterator[str]:
    yield from ("[[anchor]]", "file = 'company.pem'")
    for key, listed in zip(("permitted", "excluded"), LISTS[names], strict=True):
        if listed:
            yield f"{key} = {json.dumps(listed)}"
            yield "fence = 'where-possible'"


def table() -> str:
    """Rows of Markdown: what each client says of each server under each list, by ``verify``."""
    rows = ["| trusted for | the server has | " + " | ".join(CLIENTS) + " |", "| --- " * (2 + len(CLIENTS)) + "|"]
    with TemporaryDirectory() as directory:
        devices = Devices(Path(directory))
        for names, server in CELLS:
            words = ("yes" if trusted else "no" for trusted in devices.verdicts(names, server).values())
            rows.append(f"| {names} | {server} | " + " | ".join(words) + " |")
    return "\n".join(rows) + "\n"


def document() -> str:
    """Return docs/constrained-anchors.md with this table."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
