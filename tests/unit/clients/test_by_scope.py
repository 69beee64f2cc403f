"""Programs whose unit, profile or environment file names another store are judged by that store."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.api.list_anchors import list_anchors
from rootfs_trust.api.verify import verify
from rootfs_trust.clients.all_clients import clients_by_scope, clients_of
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.clients.node import clients as node_clients
from rootfs_trust.rootfs.device import Device
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.memory import File, MemoryTree

TRUSTED, ELSEWHERE = Authority("Trusted CA"), Authority("CA of the application")
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
PLACES = {
    "a unit": ("etc/systemd/system/app.service", "[Service]\nEnvironment={}\n"),
    "a drop-in": ("etc/systemd/system/app.service.d/ca.conf", '[Service]\nEnvironment="A=b" "{}"\n'),
    "/etc/environment": ("etc/environment", "{}\n"),
    "a profile": ("etc/profile.d/ca.sh", "export {}\n"),
    "environment.d": ("usr/lib/environment.d/50-ca.conf", "{}\n"),
}


@pytest.fixture
def tree(tmp_path):
    tree = LayoutTree(tmp_path / "root", next(family for family in FAMILIES if family.name == "bundle-only"))
    tree.write(BUNDLE, TRUSTED.pem)
    tree.write("opt/app/ca.pem", ELSEWHERE.pem)
    return tree


def verdicts(tree, tmp_path, issuer):
    (tmp_path / "chain.pem").write_bytes(issuer.server("host.test").pem)
    found = verify(tree.root, str(tmp_path / "chain.pem"), hostname="host.test").verdicts
    return {(each.client, each.note.partition(";")[0]): each.trusted for each in found}


@pytest.mark.parametrize("place", PLACES)
def test_verify_and_list_follow_the_variables(tree, tmp_path, place):
    path, text = PLACES[place]
    tree.write(path, text.format("SSL_CERT_FILE=/opt/app/ca.pem").encode())
    moved = f"with SSL_CERT_FILE of /{path}"
    there, elsewhere = verdicts(tree, tmp_path, TRUSTED), verdicts(tree, tmp_path, ELSEWHERE)
    for client in ("openssl-bundle", "rustls-native"):
        assert there[client, ""] and not there[client, moved]
        assert elsewhere[client, moved] and not elsewhere[client, ""]
    assert ("gnutls", moved) not in there, "GnuTLS does not obey it"
    (anchor,) = (each for each in list_anchors(tree.root) if each.certificate.sha256 == ELSEWHERE.sha256)
    assert {reader.because for reader in anchor.readers} == {f"/{path}"}


def test_a_variable_that_names_the_systems_store_adds_no_client(tree, tmp_path):
    tree.write("etc/environment", f"SSL_CERT_FILE=/{BUNDLE}\n".encode())
    assert all(not note.startswith("with ") for _, note in verdicts(tree, tmp_path, TRUSTED))


def test_without_files_that_set_variables_nothing_is_judged_twice(tree):
    os.unlink(tree.path / "opt/app/ca.pem")
    reading = FileReader(Device(MemoryTree({f"/{BUNDLE}": File(TRUSTED.pem)})))
    assert [each.name for each in clients_by_scope(reading)] == [each.name for each in clients_of(reading)]


# -- Node.js -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "trusted"), [("1", True), ("0", False)])
@pytest.mark.parametrize("path", ["/etc/ssl/cert.pem", "/etc/ssl/certs/corp.bak", "/etc/ssl/certs/ca-certificates.crt"])
def test_node_adds_every_file_of_the_systems_directory(path, value, trusted):
    entries = {
        "/usr/bin/node": File(b"\x7fELF"),
        "/etc/systemd/system/app.service": File(f"[Service]\nEnvironment=NODE_USE_SYSTEM_CA={value}\n".encode()),
        path: File(TRUSTED.pem),
    }
    (client,) = node_clients(FileReader(Device(MemoryTree(entries))))
    assert (TRUSTED.sha256 in {each.certificate.sha256 for each in client.find([]).anchors}) is trusted
