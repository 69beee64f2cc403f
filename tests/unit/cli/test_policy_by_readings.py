"""What must never ship, and what alone may, is judged by what the clients read, wherever they read it."""

from __future__ import annotations

import json

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import SHIPPED, shipped_authority

CORP = Authority("Inspection CA")
PLACES = {
    "a file that Go alone reads": ("etc/ssl/certs/corp.bak", {}, "/etc/ssl/certs/corp.bak"),
    "a second bundle": ("etc/pki/tls/cert.pem", {}, "/etc/pki/tls/cert.pem"),
    "a file that a unit names": (
        "opt/app/ca.pem",
        {"etc/systemd/system/app.service": "[Service]\nEnvironment=SSL_CERT_FILE=/opt/app/ca.pem\n"},
        "/opt/app/ca.pem",
    ),
    "a file that a profile names for Node.js": (
        "opt/app/ca.pem",
        {"etc/profile.d/node.sh": "export NODE_EXTRA_CA_CERTS=/opt/app/ca.pem\n", "usr/bin/node": ""},
        "/opt/app/ca.pem",
    ),
}


@pytest.fixture(params=PLACES)
def place(request, command, debian):
    """The path by which some client reads the CA of a prepared tree."""
    command("install", "--root", debian.path)
    path, files, found = PLACES[request.param]
    debian.write(path, CORP.pem)
    for name, text in files.items():
        debian.write(name, text.encode())
    return found


def found(command, debian, config, id_):
    document = command("check", "--root", debian.path, "--config", config, "--format", "json").document
    return {each["path"] for each in document["findings"] if each["id"] == id_}


def test_forbidden(command, debian, tmp_path, place):
    (tmp_path / "rt.toml").write_text(f'[policy]\nforbid = ["sha256:{CORP.sha256}"]\n')
    assert found(command, debian, tmp_path / "rt.toml", "forbidden") == {place}


def test_not_allowed(command, debian, tmp_path, place):
    allowed = ", ".join(f'"sha256:{shipped_authority(name).sha256}"' for name in SHIPPED)
    (tmp_path / "rt.toml").write_text(f"[policy]\nallow_only = [{allowed}]\n")
    assert found(command, debian, tmp_path / "rt.toml", "not-allowed") == {place}


def test_fleet(command, debian, tmp_path, place):
    (tmp_path / "rt.toml").write_text(f'[policy]\nforbid = ["sha256:{CORP.sha256}"]\n')
    (tmp_path / "fleet.toml").write_text(f'[[target]]\nroot = "{debian.path}"\nconfig = "rt.toml"\n')
    first = json.loads(command("fleet", "--check", tmp_path / "fleet.toml").out.splitlines()[0])
    assert {each["path"] for each in first["findings"] if each["id"] == "forbidden"} == {place}
    who = command("fleet", "--check", "--who-trusts", f"sha256:{CORP.sha256}", tmp_path / "fleet.toml")
    assert place in who.out
