"""Which files each client reads out of a tree, and what it makes of files that are not clean PEM."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from rootfs_trust.clients import browsers, castore, certifi, gnutls, go, java, mono, node, openssl, rustls, thin_edge
from rootfs_trust.clients.all_clients import NAMES, clients_of
from rootfs_trust.clients.client import Client, FoundAnchors
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File, Node, Symlink
from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.authority import Authority
from tests.support.memory import MemoryTree

BUNDLE, DIRECTORY = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"
ONE, TWO = Authority("One"), Authority("Two")
HASH = parse_certificate(ONE.der).subject.hash
BAD = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def reading(entries: dict[str, bytes | Node]) -> FileReader:
    nodes = {path: File(each) if isinstance(each, bytes) else each for path, each in entries.items()}
    return FileReader(Device(MemoryTree(nodes)))


def held(found: FoundAnchors) -> set[str]:
    return {anchor.certificate.sha256 for anchor in found.anchors}


def only(clients, chain: Authority = ONE) -> FoundAnchors:
    (client,) = clients
    return client.find([parse_certificate(chain.der)])


def by_bundle(data: bytes) -> dict[str, bool]:
    """Who finds the CA in a bundle."""
    tree = reading({BUNDLE: data})
    finders: dict[str, Callable[[], FoundAnchors]] = {
        "openssl": lambda: openssl.by_bundle(tree, BUNDLE),
        "gnutls": lambda: only(gnutls.clients(tree)),
        "go": lambda: only(go.clients(tree)),
        "rustls": lambda: only(rustls.clients(tree)),
    }
    return {name: ONE.sha256 in held(find()) for name, find in finders.items()}


@pytest.mark.parametrize(
    ("data", "finders"),
    [
        (ONE.pem, {"openssl", "gnutls", "go", "rustls"}),
        (ONE.pem.replace(b"\n", b"\r\n"), {"openssl", "gnutls", "go", "rustls"}),
        (b"text\n" + ONE.pem + b"more", {"openssl", "gnutls", "go", "rustls"}),
        (ONE.pem + NO_CERTIFICATE, {"go", "rustls"}),
        (ONE.pem + BAD, {"go", "rustls"}),
        (BAD + ONE.pem, {"go", "rustls"}),
        (b"\xef\xbb\xbf" + ONE.pem, {"openssl", "gnutls"}),
        (ONE.pem.replace(b"\n", b"\r"), {"gnutls", "rustls"}),
        (ONE.pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), {"openssl"}),
        (ONE.pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), {"openssl", "gnutls"}),
        (ONE.der, set()),
        (b"", set()),
    ],
)
def test_the_clients_read_one_file_differently(data: bytes, finders: set[str]):
    assert {name for name, finds in by_bundle(data).items() if finds} == finders


def test_a_hash_directory_is_asked_by_the_hash_until_a_number_is_missing():
    entries: dict[str, bytes | Node] = {
        f"{DIRECTORY}/{HASH}.0": Symlink("two.pem"),
        f"{DIRECTORY}/two.pem": TWO.pem,
        f"{DIRECTORY}/{HASH}.1": ONE.pem,
    }
    assert ONE.sha256 in held(only([next(openssl.clients(reading(entries)))]))
    del entries[f"{DIRECTORY}/{HASH}.0"]
    assert held(only([next(openssl.clients(reading(entries)))])) == set()


@pytest.mark.parametrize(
    ("data", "found"), [(BAD, False), (b"", False), (TWO.pem + ONE.pem, True), (ONE.pem + BAD, True)]
)
def test_a_hash_link_gives_every_certificate_up_to_a_bad_block(data: bytes, found: bool):
    tree = reading({f"{DIRECTORY}/{HASH}.0": data})
    answer = openssl.by_directory(tree, DIRECTORY, [parse_certificate(ONE.der)])
    assert (ONE.sha256 in held(answer)) is found
    assert bool(answer.faults) is (b"!" in data or not data)


def test_a_dangling_link_and_a_bad_file_end_the_lookup():
    gap = {f"{DIRECTORY}/{HASH}.0": Symlink("gone.pem"), f"{DIRECTORY}/{HASH}.1": ONE.pem}
    assert held(openssl.by_directory(reading(gap), DIRECTORY, [parse_certificate(ONE.der)])) == set()
    bad = {f"{DIRECTORY}/{HASH}.0": BAD, f"{DIRECTORY}/{HASH}.1": ONE.pem}
    assert held(openssl.by_directory(reading(bad), DIRECTORY, [parse_certificate(ONE.der)])) == set()


def test_openssl_looks_where_its_distribution_has_built_it_to_look():
    for directory in ("/usr/lib/ssl/certs", "/usr/lib/ssl-3/certs", "/etc/pki/tls/certs", DIRECTORY):
        assert openssl.default_directory(reading({f"{directory}/{HASH}.0": ONE.pem})) == directory
    assert openssl.default_directory(reading({f"{DIRECTORY}/{HASH}.0": b"", "/usr/lib/ssl/certs/x": b""})) == DIRECTORY


@pytest.mark.parametrize(
    ("line", "level"),
    [(b"CipherString = DEFAULT:@SECLEVEL=1", 1), (b"#CipherString = DEFAULT:@SECLEVEL=1", 2), (b"", 2)],
)
def test_the_security_level_is_that_of_openssl_cnf(line: bytes, level: int):
    assert openssl.default_options(reading({"/etc/ssl/openssl.cnf": b"[x]\n" + line + b"\n"})).level == level


@pytest.mark.parametrize(
    ("release", "packages", "level"),
    [
        ("ID=alpine", {"/lib/apk/db/installed": b"P:libcrypto3\nV:3.1.4-r5\n\n"}, 1),
        ("ID=alpine", {"/lib/apk/db/installed": b"P:libcrypto3\nV:3.3.2-r0\n\n"}, 2),
        ("ID=poky", {"/var/lib/opkg/status": b"Package: libcrypto3\nVersion: 3.0.13-r0\n"}, 1),
        ("ID=openwrt", {"/usr/lib/opkg/status": b"Package: libopenssl1.1\nVersion: 1.1.1w-1\n"}, 1),
        ("ID=debian", {"/var/lib/dpkg/status": b"Package: libssl3\nVersion: 3.0.15-1\n"}, 2),
        ('ID=raspbian\nID_LIKE="debian"', {"/var/lib/dpkg/status": b"Package: libssl3\nVersion: 3.0.15-1\n"}, 2),
        ("ID=fedora", {}, 2),
        ("ID=alpine", {}, 2),
        ("", {"/lib/apk/db/installed": b"P:libcrypto3\nV:unknown\n\n"}, 2),
    ],
)
def test_the_security_level_is_that_of_the_build(release: str, packages: dict[str, bytes], level: int):
    tree = reading({"/etc/os-release": release.encode(), **packages})
    assert openssl.default_options(tree).level == level


def test_openssl_cnf_sets_the_security_level_whatever_the_build():
    tree = reading({"/etc/os-release": b"ID=debian", "/etc/ssl/openssl.cnf": b"CipherString = DEFAULT@SECLEVEL=1\n"})
    assert openssl.default_options(tree).level == 1


def test_go_reads_the_first_bundle_and_all_files_of_two_directories():
    tree = reading(
        {"/etc/pki/tls/certs/ca-bundle.crt": ONE.pem, f"{DIRECTORY}/any-name": TWO.pem, "/etc/ssl/cert.pem": b""}
    )
    assert held(go.system_roots(tree)) == {ONE.sha256, TWO.sha256}


def test_rustls_native_certs_reads_hash_names_only_and_its_older_version_no_directory():
    entries = {
        BUNDLE: b"",
        f"{DIRECTORY}/{HASH}.0": ONE.pem,
        f"{DIRECTORY}/two.pem": TWO.pem,
        f"{DIRECTORY}/{HASH}.r0": TWO.pem,
    }
    assert held(rustls.native_certs(reading(entries))) == {ONE.sha256}
    assert held(rustls.native_certs(reading(entries), first_generation=True)) == set()


JAVA_STORE = "/etc/ssl/certs/java/cacerts"


def test_java_reads_jks():
    assert held(only(java.clients(reading({JAVA_STORE: keystore([("one", ONE.der)], 0)})))) == {ONE.sha256}
    assert "cannot be read" in only(java.clients(reading({JAVA_STORE: b"nonsense"}))).faults[0]
    assert list(java.clients(reading({}))) == []


@pytest.mark.skipif(not hasattr(pkcs12, "serialize_java_truststore"), reason="cryptography cannot write such a store")
def test_java_reads_pkcs12():
    one = pkcs12.PKCS12Certificate(ONE.certificate, b"one")
    store = pkcs12.serialize_java_truststore([one], BestAvailableEncryption(b"changeit"))
    assert held(only(java.clients(reading({JAVA_STORE: store})))) == {ONE.sha256}


def test_java_falls_back_to_a_jdks_own_store_and_a_second_store_is_a_separate_client():
    own = {"/usr/lib/jvm/jdk-21/lib/security/cacerts": keystore([("two", TWO.der)], 0)}
    assert held(only(java.clients(reading(own)))) == {TWO.sha256}
    both = {**own, "/etc/ssl/certs/java/cacerts": keystore([("one", ONE.der)], 0)}
    found = {client.name: held(client.find([])) for client in java.clients(reading(both))}
    assert found == {"java": {ONE.sha256}, f"java:{next(iter(own))}": {TWO.sha256}}


HEADER = "/usr/include/node/node_version.h"


@pytest.mark.parametrize(
    ("version", "by_variable", "by_option"),
    [
        ("18.20", False, None),
        ("22.14", False, None),
        ("22.15", False, True),
        ("22.18", False, True),
        ("22.19", True, True),
        ("23.7", False, None),
        ("23.11", False, True),
        ("24.5", False, True),
        ("24.6", True, True),
        ("26.0", True, True),
    ],
)
def test_what_each_version_of_node_does_to_read_the_systems_store(version, by_variable, by_option):
    """None: it does not start."""
    major, minor = version.split(".")
    header = f"#define NODE_MAJOR_VERSION {major}\n#define NODE_MINOR_VERSION {minor}\n".encode()
    tree = {"/usr/bin/node": b"", BUNDLE: ONE.pem, HEADER: header}
    for setting, expected in (("NODE_USE_SYSTEM_CA=1", by_variable), ("NODE_OPTIONS=--use-system-ca", by_option)):
        found = only(node.clients(reading({**tree, "/etc/environment": f"{setting}\n".encode()})))
        assert (bool(held(found)), bool(found.cannot_start)) == (bool(expected), expected is None)


def test_node_has_its_own_roots_and_what_the_tree_adds():
    tree = {
        "/usr/bin/node": b"\x7fELF",
        "/usr/share/ca-certificates/mozilla/Two.crt": TWO.pem,
        "/etc/environment": b'NODE_EXTRA_CA_CERTS="/etc/my-ca.pem"\n',
        "/etc/my-ca.pem": ONE.pem,
        BUNDLE: Authority("Not asked").pem,
    }
    found = only(node.clients(reading(tree)))
    assert held(found) == {ONE.sha256, TWO.sha256}
    assert "NODE_EXTRA_CA_CERTS of /etc/environment" in found.searched
    del tree["/usr/bin/node"]
    assert list(node.clients(reading(tree))) == []


@pytest.mark.parametrize(
    "more",
    [
        {"/etc/systemd/system/app.service": b'[Service]\nEnvironment="NODE_OPTIONS=--use-openssl-ca"\n'},
        {"/etc/profile.d/node.sh": b"export NODE_OPTIONS=--use-system-ca\n"},
        {
            "/var/lib/dpkg/info/nodejs.list": b"/usr/bin/node\n",
            "/var/lib/dpkg/status": b"Package: nodejs\nVersion: 18\n",
        },
    ],
)
def test_node_can_be_set_or_built_to_read_the_systems_store(more: dict[str, bytes]):
    tree = {"/usr/bin/node": b"", BUNDLE: ONE.pem}
    assert held(only(node.clients(reading(tree)))) == set()
    assert held(only(node.clients(reading({**tree, **more})))) == {ONE.sha256}


@pytest.mark.parametrize(
    ("home", "strict"),
    [("/usr/lib/python3", False), ("/usr/local/lib/python3.12", False), ("/opt/app/lib/python3.13", True)],
)
def test_certifi_is_found_and_judged_as_its_python_does(home: str, strict: bool):
    (client,) = certifi.clients(reading({f"{home}/site-packages/certifi/cacert.pem": ONE.pem}))
    assert held(client.find([])) == {ONE.sha256}
    assert (client.options.strict, client.options.partial, client.options.san) == (strict, strict, True)


def test_castore_is_a_client_by_its_path():
    path = "/app/lib/castore-1.0/priv/cacerts.pem"
    (client,) = castore.clients(reading({path: ONE.pem}))
    assert (client.name, held(client.find([]))) == (f"castore:{path}", {ONE.sha256})


def test_mono_reads_the_newer_of_its_two_stores():
    old, new = (f"/usr/share/.mono/{name}/Trust" for name in ("certs", "new-certs"))
    tree = {f"{old}/x.cer": TWO.der, f"{new}/{HASH}.0": ONE.pem}
    assert held(only(mono.clients(reading(tree)))) == {ONE.sha256}
    assert list(mono.clients(reading({}))) == []


@pytest.mark.parametrize("name", ["my.pem", f"{HASH}.1", f"{HASH}.r0"])
def test_mono_finds_only_files_that_are_named_after_the_subject(name: str):
    (client,) = mono.clients(reading({f"/usr/share/.mono/new-certs/Trust/{name}": ONE.pem}))
    assert held(client.find(None)) == held(client.find([parse_certificate(ONE.der)])) == set()


def test_chromium_adds_the_certificates_of_its_policy_to_its_own():
    tree = {
        "/usr/bin/chromium": b"",
        "/usr/share/ca-certificates/mozilla/Two.crt": TWO.pem,
        "/etc/chromium/policies/managed/ca.json": json.dumps(
            {"CACertificates": [b64encode(ONE.der).decode()]}
        ).encode(),
    }
    assert held(only(browsers.clients(reading(tree)))) == {ONE.sha256, TWO.sha256}
    tree["/etc/chromium/policies/managed/ca.json"] = b"{"
    found = only(browsers.clients(reading(tree)))
    assert held(found) == {TWO.sha256}
    assert found.faults == ("/etc/chromium/policies/managed/ca.json is not a JSON file of policies",)


@pytest.mark.parametrize("name", ["/opt/my.pem", "my.pem", "beside.pem"])
def test_firefox_adds_the_files_of_its_policy_to_its_own(name: str):
    policies = {"policies": {"Certificates": {"Install": [name, "gone.pem"]}}}
    tree = {
        "/usr/lib/firefox-esr/firefox-esr": b"",
        "/etc/firefox/policies/policies.json": json.dumps(policies).encode(),
        "/opt/my.pem": ONE.pem,
        "/usr/lib/mozilla/certificates/my.pem": ONE.der,
        "/usr/lib/firefox-esr/distribution/certificates/beside.pem": ONE.pem,
    }
    (client,) = browsers.clients(reading(tree))
    assert (client.name, held(client.find([]))) == ("firefox", {ONE.sha256})


class TestThinEdge:
    """With one file beside the CA in a directory of its own."""

    SETTINGS = b'[config]\nversion = "2"\n[c8y]\nroot_cert_path = "/etc/own"\n'
    SECOND = b"Package: tedge\nVersion: 2.0.1\n"

    def clients(self, beside: bytes, *, second: bool = False, bundle: bytes = b"") -> dict[str, Client]:
        tree = {
            "/etc/tedge/tedge.toml": self.SETTINGS,
            f"/etc/own/{HASH}.0": ONE.pem,
            "/etc/own/sub/beside.txt": TWO.pem,
            "/etc/own/beside": beside,
            BUNDLE: bundle,
            "/var/lib/dpkg/status": self.SECOND if second else b"",
        }
        return {client.name: client for client in thin_edge.clients(reading(tree))}

    @pytest.mark.parametrize("second", [False, True])
    def test_the_paths_are_those_of_the_settings(self, second: bool):
        found = {
            name: client.find([parse_certificate(ONE.der)]) for name, client in self.clients(b"", second=second).items()
        }
        assert held(found["thin-edge-mosquitto-bridge"]) == {ONE.sha256}
        assert held(found["thin-edge-built-in-bridge"]) == {ONE.sha256, TWO.sha256}
        assert held(found["thin-edge-https"]) == {ONE.sha256}
        assert not any(each.cannot_start for each in found.values())

    @pytest.mark.parametrize("second", [False, True])
    def test_for_https_one_bad_file_drops_the_directory_and_other_pem_blocks_end_it(self, second: bool):
        bad, odd = self.clients(BAD, second=second), self.clients(NO_CERTIFICATE, second=second)
        assert held(bad["thin-edge-https"].find([])) == set()
        assert "everything in /etc/own is dropped" in bad["thin-edge-https"].find([]).faults[0]
        assert "/etc/own/beside" in odd["thin-edge-https"].find([]).cannot_start
        for clients in (bad, odd):
            assert ONE.sha256 in held(clients["thin-edge-built-in-bridge"].find([]))

    def test_a_fault_in_the_systems_store_ends_https_of_1_and_the_bridge_of_2(self):
        first, second = self.clients(b"", bundle=BAD), self.clients(b"", bundle=BAD, second=True)
        assert first["thin-edge-https"].find([]).cannot_start
        assert not first["thin-edge-built-in-bridge"].find([]).cannot_start
        assert second["thin-edge-built-in-bridge"].find([]).cannot_start
        assert not second["thin-edge-https"].find([]).cannot_start

    def test_a_path_that_is_not_there_stops_the_bridges(self):
        tree = reading({"/etc/tedge/tedge.toml": self.SETTINGS})
        found = {client.name: client.find([]) for client in thin_edge.clients(tree)}
        assert found["thin-edge-mosquitto-bridge"].cannot_start
        assert found["thin-edge-built-in-bridge"].cannot_start

    def test_without_settings_it_is_the_default(self):
        tree = reading({"/etc/tedge/x": b"", f"{DIRECTORY}/{HASH}.0": ONE.pem})
        assert held(next(thin_edge.clients(tree)).find([parse_certificate(ONE.der)])) == {ONE.sha256}


def test_the_five_clients_of_the_contract_are_always_there():
    assert [client.name for client in clients_of(reading({}))] == list(NAMES[:5])
    faults = {client.name: client.find([]).faults for client in clients_of(reading({}))}
    assert all(faults[name] for name in ("openssl-directory", "openssl-bundle", "gnutls"))


def test_a_trusted_certificate_keeps_its_settings_for_openssl():
    settings = bytes.fromhex("300ca00a06082b06010505070301")  # rejected for serverAuth
    tree = reading({BUNDLE: encode(ONE.der + settings, "TRUSTED CERTIFICATE")})
    (anchor,) = openssl.by_bundle(tree, BUNDLE).anchors
    assert (anchor.certificate.sha256, anchor.settings) == (ONE.sha256, settings)


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", ""),
        ("/usr/lib/libcrypto.so", ""),
        ("/usr/lib/aarch64-linux-gnu/libcrypto.so.1.1", "SHA-1 signatures"),
        ("/lib/libcrypto.so.1.0.0", "an expired root that the server sends along"),
    ],
)
def test_the_rules_of_an_older_openssl_are_reported(library: str, told: str):
    first, second = openssl.clients(reading({library: b""}))
    assert first.note == second.note
    assert (told in first.note) if told else first.note == ""


@pytest.mark.parametrize("how", ["openssl_bundle", "openssl_linked", "gnutls", "go", "rust"])
def test_two_files_with_the_same_content_are_parsed_once_and_keep_their_paths(how):
    tree = reading({"/a.pem": ONE.pem, "/b.pem": ONE.pem})
    first, second = (getattr(tree, how)(path) for path in ("/a.pem", "/b.pem"))
    assert [each.anchors[0].path for each in (first, second)] == ["/a.pem", "/b.pem"]
    assert first.anchors[0].certificate is second.anchors[0].certificate
