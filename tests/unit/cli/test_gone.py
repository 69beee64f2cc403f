"""Trust that is taken away is gone for every client, or the run says what keeps it; and no run takes any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.authority import Authority
from tests.support.debian_tree import SHIPPED, shipped_authority
from tests.support.layout_trees import FAMILIES, LayoutTree

MINE, OTHER = Authority("My Root"), Authority("Other Root")
HASH = parse_certificate(MINE.der).subject.hash
CERTS = "etc/ssl/certs"
DIGEST = f"sha256:{MINE.sha256}"
CERTIFI = "usr/lib/python3/dist-packages/certifi/cacert.pem"


@pytest.fixture
def ca(tmp_path) -> Path:
    (tmp_path / "my-ca.pem").write_bytes(MINE.pem)
    return tmp_path / "my-ca.pem"


@pytest.fixture
def trusted(command, debian):
    """The clients that trust the CA."""

    def clients() -> list[str]:
        anchors = command("list", "--root", debian.path, "--format", "json").document["anchors"]
        return next((each["clients"] for each in anchors if each["sha256"] == MINE.sha256), [])

    return clients


def put_by_hand(debian) -> None:
    debian.write(f"{CERTS}/rootCA.crt", MINE.pem)
    (debian.path / CERTS / f"{HASH}.0").symlink_to("/etc/ssl/certs/rootCA.crt")


@pytest.mark.parametrize("installed", [False, True])
def test_every_copy_goes_also_one_that_was_put_by_hand(command, debian, ca, trusted, installed):
    command("install", "--root", debian.path)
    put_by_hand(debian)
    if installed:
        assert command("install", "--root", debian.path, "--cert", ca).status == 0
    assert trusted()
    result = command("remove", "--root", debian.path, DIGEST, "--format", "json")
    assert (result.status, list(result.anchors.values())) == (0, [MINE.sha256])
    assert not trusted()
    assert not (debian.path / CERTS / "rootCA.crt").exists()
    assert not [name for name in os.listdir(debian.path / CERTS) if name.startswith(HASH)]


def test_distrust_of_the_config_does_the_same_and_once(command, debian, tmp_path, trusted):
    command("install", "--root", debian.path)
    put_by_hand(debian)
    (tmp_path / "rt.toml").write_text(f'[store]\ndistrust = ["{DIGEST}"]\n')
    assert command("install", "--root", debian.path, "--config", tmp_path / "rt.toml").status == 0
    assert not trusted()
    again = command("install", "--root", debian.path, "--config", tmp_path / "rt.toml", "--format", "json")
    assert again.document["changed"] is False


def test_other_links_of_the_hash_are_numbered_again(command, debian, trusted):
    """A gap would take the trust of the other certificate."""
    twin = Authority("My Root")
    command("install", "--root", debian.path)
    put_by_hand(debian)
    debian.write(f"{CERTS}/twin.pem", twin.pem)
    (debian.path / CERTS / f"{HASH}.1").symlink_to("twin.pem")
    assert command("remove", "--root", debian.path, DIGEST).status == 0
    assert os.readlink(debian.path / CERTS / f"{HASH}.0") == "twin.pem"
    assert not os.path.lexists(debian.path / CERTS / f"{HASH}.1")


@pytest.mark.parametrize(
    ("path", "content", "clients"),
    [
        (f"{CERTS}/corp.bak", OTHER.pem + MINE.pem, "go"),
        (f"{CERTS}/ca-certificates.crt.apk-new", OTHER.pem + MINE.pem, "go"),
        (f"{CERTS}/ca-certificates.crt.dpkg-new", OTHER.pem + MINE.pem, "go"),
        ("etc/pki/tls/certs/ca-bundle.crt.rpmnew", OTHER.pem + MINE.pem, "go"),
        ("etc/pki/tls/cert.pem", MINE.pem, "openssl-bundle:/etc/pki/tls/cert.pem"),
        (CERTIFI, OTHER.pem + MINE.pem, "certifi"),
        ("opt/jdk/lib/security/cacerts", keystore([("x", MINE.der)], 0), "java"),
    ],
)
@pytest.mark.parametrize("how", ["remove", "distrust"])
def test_a_removed_anchor_that_a_client_still_reads_is_a_conflict(
    command, debian, ca, tmp_path, path, content, clients, how
):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    debian.write(path, content)
    before = debian.snapshot()
    if how == "remove":
        result = command("remove", "--root", debian.path, DIGEST, "--format", "json")
    else:
        (tmp_path / "rt.toml").write_text(f'[store]\ndistrust = ["{DIGEST}"]\n')
        result = command("install", "--root", debian.path, "--config", tmp_path / "rt.toml", "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", f"/{path}")])
    assert clients in result.document["errors"][0]["message"].partition("trusted by ")[2]
    assert debian.snapshot() == before


def test_a_private_key_beside_it_is_not_deleted(command, debian, ca):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    debian.write(f"{CERTS}/mine.txt", MINE.pem + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert command("remove", "--root", debian.path, DIGEST).status == 3


def test_by_name_a_copy_that_was_put_by_hand_is_a_conflict(command, debian, ca):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    debian.write(f"{CERTS}/copy.bak", MINE.pem)
    result = command("remove", "--root", debian.path, "my-ca", "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", f"/{CERTS}/copy.bak")])
    assert command("remove", "--root", debian.path, DIGEST).status == 0


def test_a_variable_that_leads_to_it_is_named(command, debian, ca):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    debian.write("opt/ca.pem", MINE.pem)
    debian.write("etc/systemd/system/app.service", b"[Service]\nEnvironment=SSL_CERT_FILE=/opt/ca.pem\n")
    result = command("remove", "--root", debian.path, DIGEST, "--format", "json")
    assert result.errors == [("conflict", "/opt/ca.pem")]
    assert "go (/etc/systemd/system/app.service)" in result.out


def test_a_root_compiled_into_node_is_a_warning(command, debian):
    debian.write("usr/local/bin/node", b"")
    command("install", "--root", debian.path)
    shipped = shipped_authority(SHIPPED[0]).sha256
    result = command("remove", "--root", debian.path, f"sha256:{shipped}", "--format", "json")
    assert result.status == 0
    assert ("distrusted-yet-trusted", "/usr/local/bin/node") in result.warnings


def test_certificates_that_no_client_trusts_are_ignored(command, debian):
    command("install", "--root", debian.path)
    debian.write("root/backup.pem", MINE.pem)
    result = command("remove", "--root", debian.path, DIGEST, "--format", "json")
    assert (result.status, result.errors) == (2, [("not-found", "")])


READ_BY_GO = {"fedora": "etc/pki/tls/certs", "suse": "var/lib/ca-certificates/pem"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_in_every_layout(command, ca, tmp_path, family):
    tree = LayoutTree(tmp_path / "rootfs", family)
    assert command("install", "--root", tree.root, "--cert", ca).status == 0
    copy = tree.path / READ_BY_GO.get(family.name, CERTS) / "corp.bak"
    copy.parent.chmod(0o755)
    copy.write_bytes(OTHER.pem + MINE.pem)
    result = command("remove", "--root", tree.root, DIGEST, "--format", "json")
    assert result.status == 3
    assert {path for _, path in result.errors} == {f"/{copy.relative_to(tree.path)}"}
    copy.write_bytes(MINE.pem)
    assert command("remove", "--root", tree.root, DIGEST).status == 0
    anchors = command("list", "--root", tree.root, "--format", "json").document["anchors"]
    assert MINE.sha256 not in {each["sha256"] for each in anchors}


# -- nothing lost ----------------------------------------------------------------------------------------------


@pytest.fixture
def openwrt(tmp_path) -> LayoutTree:
    (family,) = (each for each in FAMILIES if each.name == "openwrt")
    return LayoutTree(tmp_path / "openwrt", family)


def test_a_hash_link_of_others_stays_on_openwrt(command, openwrt, ca, tmp_path):
    openwrt.write(f"{CERTS}/ca.cert.pem", OTHER.pem)
    link = openwrt.path / CERTS / f"{parse_certificate(OTHER.der).subject.hash}.0"
    link.symlink_to("ca.cert.pem")
    assert command("install", "--root", openwrt.root, "--cert", ca).status == 0
    assert os.readlink(link) == "ca.cert.pem"
    assert command("remove", "--root", openwrt.root, DIGEST).status == 0
    assert os.readlink(link) == "ca.cert.pem"


def test_a_link_that_the_devices_tool_would_drop_is_a_conflict(command, debian, ca):
    """openssl rehash deletes every hash link to a file whose name it does not take."""
    command("install", "--root", debian.path)
    debian.write("opt/corp/ca", OTHER.pem)
    link = debian.path / CERTS / f"{parse_certificate(OTHER.der).subject.hash}.0"
    link.symlink_to("/opt/corp/ca")
    result = command("install", "--root", debian.path, "--cert", ca, "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", f"/{CERTS}/{link.name}")])
    assert "would no longer trust" in result.out
    assert os.readlink(link) == "/opt/corp/ca"


def test_an_unsourced_entry_of_javas_keystore_is_a_conflict_without_drop_unsourced(command, tmp_path, ca):
    (family,) = (each for each in FAMILIES if each.name == "fedora")
    tree = LayoutTree(tmp_path / "fedora", family)
    store = tree.path / "etc/pki/ca-trust/extracted/java/cacerts"
    store.chmod(0o644)
    store.write_bytes(keystore([("mine", OTHER.der)], 0))
    result = command("install", "--root", tree.root, "--cert", ca, "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", "/etc/pki/ca-trust/extracted/java/cacerts")])
    assert command("install", "--root", tree.root, "--cert", ca, "--drop-unsourced").status == 0


def test_a_p11_kit_file_with_the_same_certificate_is_named_and_is_not_called_the_distributions(command, tmp_path, ca):
    (family,) = (each for each in FAMILIES if each.name == "fedora")
    tree = LayoutTree(tmp_path / "fedora", family)
    source = "etc/pki/ca-trust/source"
    tree.write(f"{source}/My_CA.p11-kit", b"[p11-kit-object-v1]\ntrusted: true\nx-distrusted: false\n" + MINE.pem)
    tree.write(f"{source}/anchors/my-ca.pem", MINE.pem)
    assert command("install", "--root", tree.path).status == 0
    result = command("remove", "--root", tree.path, "my-ca")
    assert "is trusted still" in result.err and f"/{source}/My_CA.p11-kit" in result.err
    assert "distribution ships" not in result.err


def test_requested_removals_are_not_conflict(command, debian, ca, tmp_path):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    renewed = Authority("My Root")
    ca.write_bytes(renewed.pem)
    assert command("install", "--root", debian.path, "--cert", ca, "--replace", "my-ca").status == 0
    conf = debian.read("etc/ca-certificates.conf").replace(SHIPPED[0].encode(), b"!" + SHIPPED[0].encode())
    debian.write("etc/ca-certificates.conf", conf)
    assert command("install", "--root", debian.path).status == 0
    (tmp_path / "rt.toml").write_text('[store]\nbase = "none"\n')
    assert command("install", "--root", debian.path, "--config", tmp_path / "rt.toml", "--cert", ca).status == 0


def test_a_hash_link_that_the_run_makes_trusts_nothing_that_it_distrusts(command, debian, tmp_path):
    """OpenSSL reads a TRUSTED CERTIFICATE by its hash link alone, and the file has none yet."""
    command("install", "--root", debian.path)
    debian.write(f"{CERTS}/corp.pem", encode(MINE.der, "TRUSTED CERTIFICATE"))
    (tmp_path / "rt.toml").write_text(f'[store]\ndistrust = ["{DIGEST}"]\n')
    result = command("install", "--root", debian.path, "--config", tmp_path / "rt.toml")
    assert result.status == 3
    assert f"/{CERTS}/{HASH}.0" in result.err
    assert not (debian.path / CERTS / f"{HASH}.0").is_symlink()


def test_an_anchor_behind_an_x509_block_would_take_that_from_gnutls(command, openwrt, ca):
    """GnuTLS counts X509 CERTIFICATE only where no CERTIFICATE follows."""
    bundle = openwrt.path / CERTS / "ca-certificates.crt"
    bundle.write_bytes(bundle.read_bytes() + encode(OTHER.der, "X509 CERTIFICATE"))
    result = command("install", "--root", openwrt.path, "--cert", ca)
    assert result.status == 3
    assert "gnutls" in result.err and OTHER.sha256[:16] in result.err


def test_a_store_that_hides_what_one_client_reads_is_a_conflict_in_a_tree_without_a_store(command, debian, ca):
    """rustls-native-certs takes the first bundle that openssl-probe finds."""
    debian.write("opt/etc/ssl/cert.pem", OTHER.pem)
    result = command("install", "--root", debian.path, "--cert", ca, "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", "/opt/etc/ssl/cert.pem")])
    assert "rustls-native, thin-edge-https would no longer trust" in result.document["errors"][0]["message"]


@pytest.mark.parametrize("installed", [False, True])
def test_a_source_file_that_a_variable_names_loses_no_certificate(command, debian, installed):
    """adopt writes one file for each certificate, and the variable names only one of them."""
    source = "usr/local/share/ca-certificates/two.crt"
    debian.write(source, MINE.pem + OTHER.pem)
    debian.write("etc/systemd/system/app.service", f"[Service]\nEnvironment=SSL_CERT_FILE=/{source}\n".encode())
    if installed:
        assert command("install", "--root", debian.path).status == 0
    result = command("install", "--root", debian.path, "--adopt", "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", f"/{source}")])
    assert OTHER.sha256[:16] in result.document["errors"][0]["message"]


def test_a_rendered_file_that_a_variable_names_loses_no_certificate(command, debian, tmp_path):
    debian.write("opt/ca.pem", OTHER.pem)
    debian.write("etc/profile.d/tls.sh", b"export SSL_CERT_FILE=/opt/ca.pem\n")
    (tmp_path / "ca.j2").write_bytes(MINE.pem)
    config = tmp_path / "rt.toml"
    config.write_text('[[render]]\ntemplate = "ca.j2"\ndest = "/opt/ca.pem"\nreplace = true\n')
    result = command("install", "--root", debian.path, "--config", config, "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", "/opt/ca.pem")])
    (tmp_path / "ca.j2").write_bytes(MINE.pem + OTHER.pem)
    assert command("install", "--root", debian.path, "--config", config).status == 0


RENEWED = Authority("My Root 2027")


@pytest.mark.parametrize(
    ("path", "client"),
    [
        (f"{CERTS}/oldcopy.pem", "openssl-directory"),
        (f"{CERTS}/oldcopy.pem.dpkg-new", "go"),
        (CERTIFI, "certifi"),
        ("usr/local/share/ca-certificates/again.crt", "openssl-bundle"),
    ],
    ids=["a file of the hash directory", "a file of the package manager", "certifi", "another source file"],
)
def test_a_replaced_ca_that_another_file_keeps_trusted_gives_a_warning(command, debian, ca, path, client):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    debian.write(path, MINE.pem)
    ca.write_bytes(RENEWED.pem)
    result = command("install", "--root", debian.path, "--cert", ca, "--replace", "my-ca", "--format", "json")
    kept = [each for each in result.document["warnings"] if each["id"] == "replaced-yet-trusted"]
    assert result.status == 0
    assert any(client in each["message"] for each in kept)
    assert all(each["hint"] == f"to remove it, use remove {DIGEST}" for each in kept)


def test_a_replaced_ca_without_copies_gives_no_warning(command, debian, ca, trusted):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    ca.write_bytes(RENEWED.pem)
    result = command("install", "--root", debian.path, "--cert", ca, "--replace", "my-ca", "--format", "json")
    assert not [each for each in result.document["warnings"] if each["id"] == "replaced-yet-trusted"]
    assert not trusted()


def test_a_ca_that_is_installed_under_another_name_is_not_replaced(command, debian, ca, tmp_path):
    assert command("install", "--root", debian.path, "--cert", ca).status == 0
    (tmp_path / "old.pem").write_bytes(MINE.pem)
    ca.write_bytes(RENEWED.pem)
    words = ("--cert", ca, "--cert", tmp_path / "old.pem", "--replace", "my-ca")
    result = command("install", "--root", debian.path, *words, "--format", "json")
    assert result.status == 0
    assert not [each for each in result.document["warnings"] if each["id"] == "replaced-yet-trusted"]
