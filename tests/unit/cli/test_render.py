"""``[[render]]`` of a config, from the file to the tree."""

from __future__ import annotations

import json

import pytest

from rootfs_trust.cli.run import main
from rootfs_trust.clients.table import JAVA_STORES
from rootfs_trust.store.jks import keystore
from tests.support.debian_tree import SHIPPED, shipped_authority

BRIDGE = """
[[anchor]]
file = "ca.pem"
[[render]]
template = "mosquitto-bridge"
dest = "/etc/mosquitto/conf.d/cloud.conf"
mode = "0640"
values = {address = "broker.example.com:8883"}
"""


@pytest.fixture
def run(debian, authority, tmp_path, monkeypatch, capfd):
    """Run ``install`` with this config; the exit status and what JSON it printed."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)

    def run_(config: str) -> tuple[int, dict]:
        (tmp_path / "trust.toml").write_text(config)
        words = ["install", "--root", debian.root, "--config", str(tmp_path / "trust.toml"), "--format", "json"]
        monkeypatch.setattr("sys.argv", ["rootfs-trust", *words])
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code or 0, json.loads(capfd.readouterr().out)

    return run_


def test_a_template_that_ships_becomes_a_file_of_the_tree(run, debian):
    assert run(BRIDGE)[0] == 0
    text = debian.read("etc/mosquitto/conf.d/cloud.conf").decode()
    assert "\naddress broker.example.com:8883\nbridge_capath /etc/ssl/certs\n" in text
    assert (debian.path / "etc/mosquitto/conf.d/cloud.conf").stat().st_mode & 0o777 == 0o640
    assert run(BRIDGE) == (0, {**run(BRIDGE)[1], "changed": False, "actions": []})


def test_a_template_beside_the_config(run, debian, tmp_path):
    (tmp_path / "own.j2").write_text("{{ anchors[0].sha256 }}")
    assert run(BRIDGE.replace('"mosquitto-bridge"', '"own.j2"'))[0] == 0
    assert len(debian.read("etc/mosquitto/conf.d/cloud.conf")) == 64


def test_a_file_of_ones_own_in_the_place_is_a_conflict(run, debian):
    debian.write("etc/mosquitto/conf.d/cloud.conf", b"mine")
    before = debian.snapshot()
    status, document = run(BRIDGE)
    assert status == 3
    assert [each["path"] for each in document["errors"]] == ["/etc/mosquitto/conf.d/cloud.conf"]
    assert debian.snapshot() == before
    assert run(BRIDGE + "replace = true\n")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('"mosquitto-bridge"', '"mosquito"', 5, "unknown template mosquito"),
        ('"mosquitto-bridge"', '"none.j2"', 5, "cannot be read"),
        ('"/etc/mosquitto', '"etc/mosquitto', 6, "an absolute path on the device"),
        ('"/etc/mosquitto', '"/etc/../mosquitto', 6, "an absolute path on the device"),
        ('"0640"', "640", 7, "octal digits"),
        ('"0640"', '"rw"', 7, "octal digits"),
        ('{address = "broker.example.com:8883"}', "7", 8, "must be a table"),
        ("values =", "value =", 8, 'did you mean "values"?'),
    ],
)
def test_an_error_in_a_template_has_its_line(run, debian, tmp_path, old, new, line, says):
    before = debian.snapshot()
    status, document = run(BRIDGE.replace(old, new))
    assert status == 2
    (error,) = document["errors"]
    assert error["path"] == f"{tmp_path / 'trust.toml'}:{line}"
    assert says in error["message"] + error["hint"]
    assert debian.snapshot() == before


def test_what_a_template_lacks_is_refused_with_all_else(run, debian):
    before = debian.snapshot()
    status, document = run(BRIDGE.replace("address =", "adress ="))
    assert (status, [each["id"] for each in document["errors"]]) == (2, ["template"])
    assert debian.snapshot() == before


@pytest.mark.parametrize("store", JAVA_STORES)
def test_a_template_knows_every_java_store(run, debian, tmp_path, store):
    debian.write(store[1:], keystore([("alias", shipped_authority(SHIPPED[0]).der)], 0))
    (tmp_path / "own.j2").write_text("{{ runtimes.JAVA_TOOL_OPTIONS }}")
    assert run(BRIDGE.replace('"mosquitto-bridge"', '"own.j2"'))[0] == 0
    text = debian.read("etc/mosquitto/conf.d/cloud.conf").decode()
    assert text == f"-Djavax.net.ssl.trustStore={store}"
