"""The day on which trust in a [[server]] ends is that of real clients, whose clock is set to the days around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from rootfs_trust.clients import gnutls, go, openssl, rustls
from rootfs_trust.layouts.tools import JAVA_HOOK
from rootfs_trust.store.java_keystore import SETTINGS
from tests.e2e.judges import JUDGES, MBEDTLS, Built, Judge, node_client, python_client
from tests.e2e.prepared import BUNDLE, Target, cloud_broker
from tests.support.authority import DAY, NOW, Authority
from tests.support.command import install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.peers import peer
from tests.support.servers import https_server

pytestmark = pytest.mark.slow

END = (NOW + 40 * DAY).replace(hour=12, minute=0, second=0)
"""Noon: on the day of the end the morning still connects and the evening does not."""

NODE_FILE = "usr/share/rootfs-trust/node-extra-ca-certs.pem"
CERTIFI = "usr/lib/python3/dist-packages/certifi/cacert.pem"
THIN_EDGE = ("mosquitto-bridge", "built-in-bridge", "https")
LONG = NOW + 900 * DAY
CLIENTS = {
    "openssl s_client, directory": "openssl-directory",
    "openssl s_client, file": "openssl-bundle",
    "curl, directory": "openssl-directory",
    "curl, file": "openssl-bundle",
    "Python ssl to 3.12, directory": "openssl-directory",
    "Python ssl to 3.12, file": "openssl-bundle",
    "Python ssl since 3.13, file": "openssl-bundle",
    "gnutls-cli, file": "gnutls",
    "Go, system": "go",
    "Go, file": "go",
    "Java, JKS of the tree": "java",
    "rtls (rustls), directory": "rustls-native",
    "rtls (rustls), file": "rustls-native",
    "pyreqwest (rustls), system": "rustls-native",
    "Node.js": "node",
    "Mbed TLS, file": "mbedtls",
    "mosquitto bridge, directory": "thin-edge-mosquitto-bridge",
    "thin-edge.io 2.0.1 built-in bridge, directory": "thin-edge-built-in-bridge",
    "thin-edge.io 2.0.1 HTTPS, directory": "thin-edge-https",
    "requests": "certifi",
}
"""The real clients, and the client of check that stands for each."""

OF_THE_TREE = ("java", "node", "certifi", "mbedtls", *(f"thin-edge-{name}" for name in THIN_EDGE))
"""The clients that the tree has beside those that every tree has."""


class Chain(SimpleNamespace):
    """What the server shows, with its key."""

    server: Authority
    others: tuple[Authority, ...]

    @property
    def pem(self) -> bytes:
        return b"".join(each.pem for each in (self.server, *self.others))

    @property
    def key_pem(self) -> bytes:
        return self.server.key_pem


def server_first() -> tuple[Chain, list[Authority]]:
    root = Authority("Root", not_after=LONG)
    return Chain(server=root.server("localhost", not_after=END), others=()), [root]


def intermediate_first() -> tuple[Chain, list[Authority]]:
    root = Authority("Root", not_after=LONG)
    between = Authority("Intermediate", issuer=root, not_after=END)
    return Chain(server=between.server("localhost", not_after=LONG), others=(between,)), [root]


def root_first() -> tuple[Chain, list[Authority]]:
    """rustls and Java do not mind the dates of an anchor."""
    root = Authority("Root", not_after=END)
    return Chain(server=root.server("localhost", not_after=LONG), others=()), [root]


def cross_sign_first() -> tuple[Chain, list[Authority]]:
    """A root that only an older one vouches for, whose certificate for it ends."""
    old, new = Authority("Old Root", not_after=LONG), Authority("New Root", not_after=LONG)
    crossed = Authority("New Root", issuer=old, key=new.key, not_after=END)
    return Chain(server=new.server("localhost", not_after=LONG), others=(crossed,)), [old]


class AtATime(Target):
    """A case made ready as tests/e2e/prepared.py has it, for clients whose clock shows ``at``."""

    def __init__(self, case: SimpleNamespace, at: datetime) -> None:
        super().__init__(case.directory)
        self.port, self.cloud, self.at = case.port, case.cloud, at
        self.trees = dict.fromkeys(("directory", "file"), case.tree)

    def root_cert_path(self, trust: str) -> str:
        return "/etc/ssl/certs" if trust == "directory" else BUNDLE


@pytest.fixture(params=[server_first, intermediate_first, root_first, cross_sign_first], ids=lambda each: each.__name__)
def case(request, tmp_path) -> Iterator[SimpleNamespace]:
    """A tree, a running server, and the config that expects it."""
    peer("faketime")
    chain, installed = request.param()
    tree = DebianTree(tmp_path / "tree")
    tree.write(JAVA_HOOK[1:], b"#!/bin/sh\n")
    tree.write(SETTINGS[1:], b"cacerts_updates=yes\n")
    for program in ("usr/bin/java", "usr/local/bin/node", "usr/lib/x86_64-linux-gnu/libmbedx509.so.1"):
        tree.write(program, b"")
    files = [tmp_path / f"ca-{number}.pem" for number, _ in enumerate(installed)]
    for file, each in zip(files, installed, strict=True):
        file.write_bytes(each.pem)
    tree.write(CERTIFI, b"".join(each.pem for each in installed))
    install(tree.path, *(word for file in files for word in ("--cert", file)), "--cloud", "c8y", "--runtimes", "node")
    (tmp_path / "chain.pem").write_bytes(chain.pem)
    with https_server(chain, tmp_path) as port, ExitStack() as stack:
        cloud = cloud_broker(tree.path, tmp_path / "cloud", chain, "127.0.0.1", stack)
        yield SimpleNamespace(directory=tmp_path, tree=tree.path, port=port, cloud=cloud)


def ends_before(case: SimpleNamespace, day: datetime) -> dict[str, str]:
    """The clients that check finds not to trust the server until that day, with the day that the finding names."""
    config = case.directory / "rootfs-trust.toml"
    config.write_text(f'[[server]]\nname = "s"\nchain = "chain.pem"\nhostname = "localhost"\nuntil = {day.date()}\n')
    words = ("check", "--root", case.tree, "--config", config, "--select", "server-ends", "--format", "json")
    found = json.loads(rootfs_trust(*words).stdout)["findings"]
    return {each["client"]: re.findall(r"\d{4}-\d\d-\d\d", each["message"])[0] for each in found}


def test_check_names_the_day_on_which_real_clients_stop(case, built: Built):
    assert not ends_before(case, END), "until the begin of the day every client trusts it"
    ending = ends_before(case, END + DAY)
    assert set(ending.values()) <= {f"{END.date()}"} and ending
    requests = Judge("requests", "file", python_client("ssl", f"{case.tree}/{CERTIFI}"))
    node = Judge("Node.js", "file", node_client(case.tree / NODE_FILE))
    judges = {each.name: each for each in (*JUDGES, MBEDTLS, requests, node)}
    always = {each.name for module in (openssl, gnutls, go, rustls) for each in module.TYPES}
    assert set(CLIENTS.values()) == always.union(OF_THE_TREE)

    def connects(judge: Judge, at: datetime) -> bool:
        return judge(AtATime(case, at), built).connected

    said = {}
    for name, client in CLIENTS.items():
        evening = connects(judges[name], END + timedelta(hours=6))
        said[name] = (connects(judges[name], END - DAY), connects(judges[name], END - timedelta(hours=6)), evening)
        assert said[name] == (True, True, client not in ending), (name, said[name], ending)
