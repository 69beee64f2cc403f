"""Which clients trust a certificate, and by which file."""

from __future__ import annotations

import pytest

from rootfs_trust.clients.readings import TrustingClient, readings, trusted_by
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File, Node, Symlink
from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import MemoryTree

BUNDLE, DIRECTORY = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"
ONE, TWO = Authority("One"), Authority("Two")
HASH, OTHER_HASH = (parse_certificate(each.der).subject.hash for each in (ONE, TWO))
DEBIAN = {
    "/var/lib/dpkg/status": b"",
    "/usr/share/ca-certificates/x.crt": b"",
    "/usr/lib/ssl/certs": Symlink(DIRECTORY),
}
FEDORA_SOURCES = "/etc/pki/ca-trust/source/anchors"


def readers(entries: dict[str, bytes | Node], authority: Authority = ONE, **environment: str) -> set[tuple[str, str]]:
    """The clients that trust the CA, each with its path."""
    return {(each.client, each.path) for each in all_readers(entries, authority, **environment)}


def all_readers(
    entries: dict[str, bytes | Node], authority: Authority = ONE, **environment: str
) -> tuple[TrustingClient, ...]:
    nodes = {path: File(each) if isinstance(each, bytes) else each for path, each in entries.items()}
    found = trusted_by(readings(Device(MemoryTree(nodes, environment))))
    return found[authority.sha256].readers if authority.sha256 in found else ()


def test_the_bundle_is_what_most_clients_read():
    expected = {(name, BUNDLE) for name in ("openssl-bundle", "gnutls", "go", "rustls-native")}
    assert readers(DEBIAN | {BUNDLE: ONE.pem}) == expected


@pytest.mark.parametrize("name", ["corp.bak", "root.ca", "ca-certificates.crt.apk-new", "x"])
def test_go_reads_every_file_of_the_directory(name):
    several = TWO.pem + ONE.pem
    assert readers(DEBIAN | {f"{DIRECTORY}/{name}": several}) == {("go", f"{DIRECTORY}/{name}")}


def test_openssl_and_rustls_read_hash_links_up_to_the_first_gap():
    linked = DEBIAN | {f"{DIRECTORY}/x.pem": ONE.pem, f"{DIRECTORY}/{HASH}.0": Symlink("x.pem")}
    found = {(client, f"{DIRECTORY}/{HASH}.0") for client in ("openssl-directory", "rustls-native")}
    assert readers(linked) == {("go", f"{DIRECTORY}/x.pem"), *found}
    gap = DEBIAN | {f"{DIRECTORY}/{HASH}.1": ONE.pem}
    assert "openssl-directory" not in {client for client, _ in readers(gap)}
    assert "openssl-directory" not in {client for client, _ in readers(DEBIAN | {f"{DIRECTORY}/{HASH}.00": ONE.pem})}


def test_a_second_bundle_is_a_separate_client():
    tree = DEBIAN | {BUNDLE: TWO.pem, "/etc/pki/tls/cert.pem": ONE.pem}
    assert readers(tree) == {("openssl-bundle:/etc/pki/tls/cert.pem", "/etc/pki/tls/cert.pem")}


def test_a_bundle_that_several_paths_lead_to_is_read_once():
    tree = DEBIAN | {BUNDLE: ONE.pem, "/etc/ssl/cert.pem": Symlink("certs/ca-certificates.crt")}
    assert not any(client.startswith("openssl-bundle:") for client, _ in readers(tree))


def test_openssl_of_azure_linux_and_of_suse_look_elsewhere():
    distroless = {"/etc/pki/tls/cert.pem": ONE.pem, "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": TWO.pem}
    assert ("openssl-bundle", "/etc/pki/tls/cert.pem") in readers(distroless)
    openssl = "/var/lib/ca-certificates/openssl"
    suse = {"/etc/pki/trust/anchors/x.pem": b"", f"{openssl}/{HASH}.0": ONE.pem, f"{DIRECTORY}/{OTHER_HASH}.0": TWO.pem}
    assert readers(suse) == {("openssl-directory", f"{openssl}/{HASH}.0")}
    assert ("openssl-directory", f"{DIRECTORY}/{OTHER_HASH}.0") not in readers(suse, TWO)


def test_gnutls_reads_a_directory_on_openwrt_and_sources_of_p11kit_on_fedora():
    openwrt = {"/etc/openwrt_release": b"", f"{DIRECTORY}/anything": ONE.pem}
    assert ("gnutls", f"{DIRECTORY}/anything") in readers(openwrt)
    assert ("gnutls", f"{FEDORA_SOURCES}/x.pem") in readers({f"{FEDORA_SOURCES}/x.pem": ONE.pem})


def test_a_certificate_with_reject_settings_for_openssl_is_not_an_anchor():
    from rootfs_trust.store.purposes import pem_for

    trusted = pem_for(ONE.der, frozenset({"email"}))
    assert b"TRUSTED" in trusted
    assert readers(DEBIAN | {BUNDLE: trusted}) == set()


def test_variables_of_an_image_replace_what_is_compiled_in():
    tree = DEBIAN | {BUNDLE: TWO.pem, "/opt/ca.pem": ONE.pem}
    expected = {(client, "/opt/ca.pem") for client in ("openssl-bundle", "go", "rustls-native")}
    assert readers(tree, SSL_CERT_FILE="/opt/ca.pem") == expected
    assert {client for client, _ in readers(tree, TWO, SSL_CERT_FILE="/opt/ca.pem")} == {"gnutls", "go"} - {"go"} | {
        f"openssl-bundle:{BUNDLE}",
        "go",  # the directory is read all the same, and the bundle is a file in it
    }
    directory = {"/opt/cas/x": ONE.pem, f"/opt/cas/{HASH}.0": Symlink("x")}
    found = {client for client, _ in readers(tree | directory, SSL_CERT_DIR="/nowhere:/opt/cas")}
    assert found == {"openssl-directory", "go", "rustls-native"}


def test_variables_of_a_unit_are_read_beside_it():
    unit = "/etc/systemd/system/app.service.d/ca.conf"
    tree = DEBIAN | {
        BUNDLE: TWO.pem,
        "/opt/ca.pem": ONE.pem,
        unit: b'[Service]\nEnvironment="SSL_CERT_FILE=/opt/ca.pem" A=b\nEnvironment=GIT_SSL_CAINFO=/opt/ca.pem\n',
    }
    expected = {"openssl-bundle", "go", "rustls-native", "openssl-bundle:/opt/ca.pem"}
    assert {(each.client, each.because) for each in all_readers(tree)} == {(client, unit) for client in expected}
    assert ("go", BUNDLE) in readers(tree, TWO)


def test_java_and_certifi_are_read_wherever_they_are():
    first, second = (f"/usr/lib/python3/dist-packages/{name}/cacert.pem" for name in ("certifi", "x/certifi"))
    venv = "/opt/app/lib/python3.12/site-packages/certifi/cacert.pem"
    tree = {first: ONE.pem, second: ONE.pem, venv: ONE.pem}
    assert readers(tree) == {("certifi", first), (f"certifi:{second}", second), (f"certifi:{venv}", venv)}
    store = keystore([("one", ONE.der)], 0)
    jdk = "/opt/jdk/lib/security/cacerts"
    java = {"/etc/ssl/certs/java/cacerts": store, jdk: store}
    assert readers(java) == {("java", "/etc/ssl/certs/java/cacerts"), (f"java:{jdk}", jdk)}
    moved = readers(java | {"/opt/store": store}, JAVA_TOOL_OPTIONS="-Xmx1g -Djavax.net.ssl.trustStore=/opt/store")
    assert ("java", "/opt/store") in moved
