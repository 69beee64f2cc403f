"""thin-edge.io's mosquitto bridge: it reaches a broker of the private CA after install, and not before.

The bridge is configured as ``tedge connect`` does it: a root_cert_path that is a directory becomes bridge_capath.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.support.authority import Authority
from tests.support.command import install
from tests.support.servers import Broker, free_port
from tests.support.trees import STORE, RealTree


def test_the_bridge_connects_after_install_and_not_before(amd64_tree: RealTree, authority: Authority, tmp_path: Path):
    ca_file = tmp_path / "my-ca.pem"
    ca_file.write_bytes(authority.pem)
    amd64_tree.write("etc/hosts", b"127.0.0.1 localhost\n")
    port = free_port()
    with _cloud(amd64_tree, authority, port) as cloud:
        with _bridge(amd64_tree, "before", f"/{STORE}", port) as bridge:
            bridge.wait_for("certificate verify failed")
            assert "as before" not in cloud.log

        install(amd64_tree.path, "--cert", ca_file, "--cloud", "c8y")
        settings = tomllib.loads((amd64_tree.path / "etc/tedge/tedge.toml").read_text())
        directory = settings["c8y"]["root_cert_path"]
        assert (amd64_tree.path / directory[1:]).is_dir()
        with _bridge(amd64_tree, "after", directory, port) as bridge:
            cloud.wait_for("New bridge connected from 127.0.0.1:[0-9]+ as after")
            bridge.wait_for("Received SUBACK from local.after")
            assert "certificate verify failed" not in bridge.log


def _cloud(tree: RealTree, authority: Authority, port: int) -> Broker:
    """A broker as the cloud runs it: TLS, its certificate signed by the private CA."""
    server = authority.server("localhost")
    tree.write("etc/mosquitto/server.pem", server.pem)
    tree.write("etc/mosquitto/server.key", server.key_pem)
    return Broker(
        tree,
        "cloud",
        # The key is root's; the broker would drop to the user mosquitto before it reads it.
        "user root",
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "certfile /etc/mosquitto/server.pem",
        "keyfile /etc/mosquitto/server.key",
    )


def _bridge(tree: RealTree, name: str, directory: str, port: int) -> Broker:
    """The device's broker, which runs as the unprivileged user mosquitto."""
    return Broker(
        tree,
        name,
        f"listener {free_port()} 127.0.0.1",
        "allow_anonymous true",
        f"connection {name}",
        f"address localhost:{port}",
        f"bridge_capath {directory}",
        f"remote_clientid {name}",
        "restart_timeout 1",
        "topic # both 0",
    )
