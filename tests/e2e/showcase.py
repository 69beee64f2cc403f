"""An example as customers have it: Debian's public roots, a company's CA, servers, and the release before."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.authority import DAY, NOW, Authority
from tests.support.command import install
from tests.support.peers import unavailable

_ROOTS = Path("/usr/share/ca-certificates/mozilla")
"""Of the package ca-certificates of this machine."""
_SERVERS = """\
[[server]]
name = "MQTT broker"
hostname = "mqtt.iot.example.com"
chain = "mqtt.pem"
until = {soon}

[[server]]
name = "update server"
hostname = "updates.example.com"
chain = "updates.pem"
"""


def make_showcase(place: Path) -> None:
    """Make ``rootfs``, ``last-release`` and ``rootfs-trust.toml`` in ``place``."""
    root = place / "rootfs"
    _system(root)
    acme = Authority("Acme IoT Root CA", organization="Acme Devices", not_after=NOW + 2900 * DAY)
    (place / "acme-iot-root-ca.pem").write_bytes(acme.pem)
    broker = acme.server("mqtt.iot.example.com", not_after=NOW + 400 * DAY)
    (place / "mqtt.pem").write_bytes(broker.pem)
    stranger = Authority("Update Vendor Root CA")
    (place / "updates.pem").write_bytes(stranger.server("updates.example.com").pem)
    (place / "rootfs-trust.toml").write_text(_SERVERS.format(soon=f"{NOW + 3000 * DAY:%Y-%m-%d}"))
    install(root)
    shutil.copytree(root, place / "last-release", symlinks=True)
    install(root, "--cert", place / "acme-iot-root-ca.pem", "--cloud", "c8y")


def _system(root: Path) -> None:
    roots = sorted(_ROOTS.glob("*.crt"))
    if not roots:
        unavailable("the package ca-certificates is not installed")
    shipped = root / "usr/share/ca-certificates/mozilla"
    shipped.mkdir(parents=True)
    for each in roots:
        shutil.copy(each, shipped)
    for directory in ("etc/ssl/certs", "usr/local/share/ca-certificates", "etc/tedge", "var/lib/dpkg"):
        (root / directory).mkdir(parents=True)
    (root / "etc/ca-certificates.conf").write_text("".join(f"mozilla/{each.name}\n" for each in roots))
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\ntedge:x:951:950::/:/bin/false\n")
