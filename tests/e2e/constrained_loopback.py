"""Ask real clients for the servers of the constrained anchors, on the loopback interface of a namespace.

The servers have foreign names and addresses. So :func:`answers` runs this program in namespaces in which /etc/hosts has
the names and the loopback interface has the addresses. The program prints what each client said, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.e2e import judges
from tests.e2e.cases import Identity
from tests.e2e.constrained_trees import CELLS, CLIENTS, Devices
from tests.e2e.prepared import BUNDLE, Target, cloud_broker
from tests.limbo.constrained import KEYS, SERVERS
from tests.support.command import REPOSITORY
from tests.support.peers import needs_mounts, peer
from tests.support.servers import https_server

_HOSTS = [host for _, host, _ in SERVERS.values()]
_NAMES = sorted({each for each in _HOSTS if each[-1].isalpha()})
_ADDRESSES = sorted({each for each in _HOSTS if not each[-1].isalpha()})
_WORLD = """
mount --bind "$1" /etc/hosts && ip link set lo up || exit 99; shift
while [ "$1" != -- ]; do
    case $1 in *:*) at_once=nodad ;; *) at_once= ;; esac
    ip address add "$1" dev lo $at_once || exit 99
    shift
done
shift
exec "$@"
"""

JUDGES = {
    "OpenSSL, file": judges.named("openssl s_client, file"),
    "OpenSSL, directory": judges.named("openssl s_client, directory"),
    "GnuTLS": judges.named("gnutls-cli, file"),
    "Go": judges.named("Go, system"),
    "rustls": judges.named("pyreqwest (rustls), system"),
    "Java": judges.named("Java, JKS of the tree"),
    "curl": judges.named("curl, file"),
    "mosquitto": judges.named("mosquitto bridge, directory"),
    "Chromium": judges.CHROMIUM,
    "Mbed TLS": judges.MBEDTLS,
}
"""A real client for each column of the table."""

assert list(JUDGES) == list(CLIENTS)


class Server:
    """One of SERVERS, running: HTTPS at ``port``, and a broker."""

    def __init__(self, name: str, directory: Path, devices: Devices, stack: ExitStack) -> None:
        directory.mkdir()
        key = KEYS["ECDSA"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        shows = Identity(devices.chains[name].read_bytes(), key)
        host = SERVERS[name][1]
        address = "127.0.0.1" if host in _NAMES else host
        self.host, self.address = (f"[{each}]" if ":" in each else each for each in (host, address))
        self.port = stack.enter_context(https_server(shows, directory, address))
        self.cloud = cloud_broker(next(iter(devices.trees.values())), directory, shows, address, stack)


class Cell(Target):
    """A server, and the tree of the clients that are to reach it."""

    def __init__(self, directory: Path, tree: Path, server: Server) -> None:
        directory.mkdir()
        super().__init__(directory)
        self.host, self.address, self.port, self.cloud = server.host, server.address, server.port, server.cloud
        self.trees = {"directory": tree, "file": tree}

    def root_cert_path(self, trust: str) -> str:
        return BUNDLE if trust == "file" else super().root_cert_path(trust)


def answers(directory: Path, built: judges.Built) -> list[tuple[str, str, dict[str, bool], dict[str, bool], str]]:
    """Run this program. Return for each cell what the clients said and what ``verify`` says, and what they printed."""
    needs_mounts()
    for make in (built.go, built.java, built.mbedtls):
        make()
    (directory / "hosts").write_text(f"127.0.0.1 localhost {' '.join(_NAMES)}\n")
    program = [sys.executable, "-m", __name__, directory, built.cache]
    peer("ip")
    words = [peer("unshare"), "-n", "-m", "sh", "-c", _WORLD, "sh", directory / "hosts", *_ADDRESSES, "--", *program]
    done = subprocess.run(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, timeout=1100, check=True)
    return json.loads(done.stdout)


def _ask(directory: Path, built: judges.Built) -> Iterator[tuple[object, ...]]:
    devices = Devices(directory)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        servers = {name: Server(name, directory / f"server {name}", devices, stack) for name in SERVERS}
        for number, (names, server) in enumerate(CELLS):
            cell = Cell(directory / f"cell {number}", devices.trees[names], servers[server])
            asked = {client: pool.submit(judge, cell, built) for client, judge in JUDGES.items()}
            seen = {client: each.result() for client, each in asked.items()}
            said = {client: each.connected for client, each in seen.items()}
            printed = {client: each.said[-600:] for client, each in seen.items()}
            yield names, server, said, devices.verdicts(names, server), printed


if __name__ == "__main__":
    print(json.dumps(list(_ask(Path(sys.argv[1]), judges.Built(Path(sys.argv[2]))))))
