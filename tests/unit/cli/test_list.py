"""list and diff: what a tree trusts, read back from the tree alone."""

from __future__ import annotations

import csv
import io
import os

import pytest

from rootfs_trust.store.jks import keystore
from tests.support.authority import DAY, NOW, Authority
from tests.support.debian_tree import DebianTree, shipped_authority
from tests.support.layout_trees import FAMILIES, Family, LayoutTree
from tests.unit.inputs.test_certdata import TRUSTED, certdata, certificate_object, trust_object, until

MINE = Authority("My Root", organization="Org")
NAMES = ("Alpha_Root", "Beta_Root", "Gamma_Root")


@pytest.fixture
def listed(command, debian):
    """The anchors of the Debian tree by their names."""

    def run(*words: object, root: object = None) -> dict[str, dict]:
        result = command("list", "--root", root or debian.path, "--format", "json", *words)
        assert result.status == 0, result.err
        return {each["name"]: each for each in result.document["anchors"]}

    return run


@pytest.fixture
def ca(tmp_path):
    (tmp_path / "my-ca.pem").write_bytes(MINE.pem)
    return tmp_path / "my-ca.pem"


def test_an_anchor_is_reported_with_everything_about_it(install, listed, ca):
    install("--cert", ca)
    anchors = listed("--at", (NOW + DAY).isoformat())
    assert set(anchors) == {*NAMES, "my-ca"}
    mine = anchors["my-ca"]
    assert mine["sha256"] == MINE.sha256
    assert mine["subject"] == mine["issuer"] == MINE.certificate.subject.rfc4514_string()
    assert mine["key"] == "EC 256" and mine["signature"] == "ecdsa-with-SHA256"
    assert mine["not_after"] == MINE.certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z")
    assert mine["days_left"] == (MINE.certificate.not_valid_after_utc - NOW - DAY).days
    assert mine["outputs"] == ["bundle", "directory"]
    assert mine["paths"] == ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"]
    assert mine["sources"] == ["/usr/local/share/ca-certificates/my-ca.crt"]
    assert (mine["origin"], anchors["Alpha_Root"]["origin"]) == ("local", "distribution")
    assert mine["purposes"] == ["server-auth"]


def test_list_writes_nothing(install, listed, debian, ca):
    install("--cert", ca)
    before = debian.snapshot()
    listed()
    assert debian.snapshot() == before


def test_the_anchors_of_the_configuration_are_its_own(install, listed, ca, tmp_path):
    config = tmp_path / "rootfs-trust.toml"
    config.write_text('[[anchor]]\nfile = "my-ca.pem"\n')
    install("--config", config)
    assert listed()["my-ca"]["origin"] == "local"
    assert listed("--config", config)["my-ca"]["origin"] == "rootfs-trust"


def test_what_only_the_bundle_holds_has_no_source(install, listed, debian):
    install()
    bundle = debian.path / "etc/ssl/certs/ca-certificates.crt"
    bundle.write_bytes(bundle.read_bytes() + MINE.pem)
    assert listed()["My_Root"] | {"paths": []} == listed()["My_Root"] | {
        "origin": "unsourced",
        "outputs": ["bundle"],
        "sources": [],
        "paths": [],
    }


def test_a_file_put_into_the_hash_directory_by_hand_is_local(install, listed, debian):
    install()
    directory = debian.path / "etc/ssl/certs"
    (directory / "mine.pem").write_bytes(MINE.pem)
    found = listed()["My_Root"]
    assert (found["origin"], found["outputs"]) == ("local", []), "OpenSSL does not find it without a hash link"
    thin_edge = ["thin-edge-built-in-bridge", "thin-edge-https"]
    assert found["read_from"] == [
        {"client": client, "path": "/etc/ssl/certs/mine.pem"} for client in ("go", *thin_edge)
    ]
    install()
    found = listed()["My_Root"]
    assert (found["origin"], found["outputs"]) == ("local", ["directory"])
    assert found["clients"][:4] == ["openssl-directory", "go", "rustls-native", "thin-edge-mosquitto-bridge"]


def test_the_clients_of_an_anchor(command, install, listed, debian, ca):
    install("--cert", ca)
    found = listed()["my-ca"]
    assert found["clients"][:5] == ["openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native"]
    paths = {each["client"]: each["path"] for each in found["read_from"]}
    assert paths["gnutls"] == "/etc/ssl/certs/ca-certificates.crt"
    assert paths["openssl-directory"].startswith("/etc/ssl/certs/")


@pytest.mark.parametrize(("client", "seen"), [("go", True), ("openssl-bundle", False), ("gnutls", False)])
def test_one_client(listed, install, debian, client, seen):
    install()
    debian.write("etc/ssl/certs/corp.bak", MINE.pem)
    assert ("My_Root" in listed("--client", client)) == seen


def test_a_client_that_the_tree_does_not_have(command, debian):
    for name, message in (("java", "the rootfs has no client java"), ("curl", "no client is called curl")):
        result = command("list", "--root", debian.path, "--client", name, "--format", "json")
        assert (result.status, result.errors) == (2, [("client", "")])
        assert message in result.out


def test_a_store_that_only_an_application_reads(listed, debian, install):
    install()
    debian.write("usr/lib/python3/dist-packages/certifi/cacert.pem", MINE.pem)
    found = listed()["My_Root"]
    assert (found["origin"], found["clients"], found["purposes"]) == ("application", ["certifi"], ["server-auth"])


def test_the_lookup_stops_at_a_gap(install, listed, debian, ca):
    install("--cert", ca)
    directory = debian.path / "etc/ssl/certs"
    (link,) = (
        name for name in os.listdir(directory) if name[8:] == ".0" and os.readlink(directory / name) == "my-ca.pem"
    )
    (directory / link).rename(directory / f"{link[:-1]}1")
    assert listed()["my-ca"]["outputs"] == ["bundle"]
    (directory / link).symlink_to("gone.pem")
    assert listed()["my-ca"]["outputs"] == ["bundle"], "a dangling link ends the search, too"
    (directory / link).unlink()
    (directory / link).symlink_to("Alpha_Root.pem")
    assert listed()["my-ca"]["outputs"] == ["bundle", "directory"], "a file of another subject does not"


def test_a_java_store_is_an_output(install, listed, debian, ca):
    install("--cert", ca)
    debian.write("etc/ssl/certs/java/cacerts", keystore([("debian:my-ca.pem", MINE.der)], 1))
    assert listed()["my-ca"]["outputs"] == ["bundle", "directory", "java"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_layout_is_read(command, tmp_path, ca, family: Family):
    tree = LayoutTree(tmp_path / "rootfs", family)
    assert command("install", "--root", tree.path, "--cert", ca).status == 0
    result = command("list", "--root", tree.path, "--format", "json")
    found = {each["sha256"]: each for each in result.document["anchors"]}
    assert set(found) >= {MINE.sha256}
    hashed = {"directory"} if family.hashed else set()
    assert set(found[MINE.sha256]["outputs"]) >= {"bundle"} | hashed


def test_text_csv_and_an_empty_tree(command, install, ca, tmp_path, debian):
    install("--cert", ca)
    text = command("list", "--root", debian.path)
    heading, *lines, count = text.out.splitlines()
    assert heading.split() == [
        "NAME",
        "ORIGIN",
        "KEY",
        "EXPIRES",
        "DAYS",
        "OUTPUTS",
        "CLIENTS",
        "HASH",
        "SHA-256",
        "STATUS",
    ]
    assert [line.split()[0] for line in lines] == [*NAMES, "my-ca"]
    assert count == f"4 anchors in {debian.path}."
    assert f"    {MINE.certificate.subject.rfc4514_string()}\n" in command("list", "--root", debian.path, "-v").out
    rows = list(csv.DictReader(io.StringIO(command("list", "--root", debian.path, "--format", "csv").out)))
    assert [row["sha256"] for row in rows][-1] == MINE.sha256
    assert rows[-1]["outputs"] == "bundle directory"
    (tmp_path / "empty").mkdir()
    assert command("list", "--root", tmp_path / "empty").out == f"0 anchors in {tmp_path / 'empty'}.\n"
    assert command("list", "--root", tmp_path / "none").status == 2


def test_a_state_of_the_device_counts(install, listed, debian, ca, tmp_path):
    install("--cert", ca)
    state = tmp_path / "state"
    (state / "ssl/certs").mkdir(parents=True)
    (state / "ssl/certs/ca-certificates.crt").write_bytes(shipped_authority(NAMES[0]).pem)
    assert listed("--state", f"copy:/etc={state}")["my-ca"]["outputs"] == ["directory"]


@pytest.mark.parametrize("spec", ["", "overlay:/etc", "overlay:etc=x", "ostree:", "nfs:/etc=x", "copy:/etc="])
def test_a_state_that_is_none(command, debian, spec):
    result = command("list", "--root", debian.path, "--state", spec, "--format", "json")
    assert (result.status, result.errors) == (2, [("state", "")])


# -- diff --------------------------------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path) -> DebianTree:
    return DebianTree(tmp_path / "other")


def test_no_difference(command, install, debian):
    install()
    result = command("diff", debian.path, debian.path)
    assert (result.status, result.out.startswith("No difference")) == (0, True)


def test_added_removed_renewed_and_settings(command, install, debian, other, ca, tmp_path):
    renewed = Authority("My Root", organization="Org", key=MINE.key, not_after=NOW + 7300 * DAY)
    (tmp_path / "new.pem").write_bytes(renewed.pem)
    install("--cert", ca, "--cloud", "c8y")
    new = ("--cert", tmp_path / "new.pem", "--set", "c8y.root_cert_path=/etc/ssl/certs/ca-certificates.crt")
    command("install", "--root", other.path, *new, "--cloud", "aws")
    command("remove", "--root", other.path, "Beta_Root")
    result = command("diff", debian.path, other.path, "--format", "json")
    assert result.status == 1
    found = result.document
    assert (
        [each["name"] for each in found["added"]],
        [each["name"] for each in found["removed"]],
    ) == ([], ["Beta_Root"])
    assert [(each["before"]["sha256"], each["after"]["sha256"]) for each in found["renewed"]] == [
        (MINE.sha256, renewed.sha256)
    ]
    assert found["settings"] == [
        {"key": "aws.root_cert_path", "before": None, "after": "/etc/ssl/certs"},
        {"key": "c8y.proxy.ca_path", "before": "/etc/ssl/certs", "after": None},
        {"key": "c8y.root_cert_path", "before": "/etc/ssl/certs", "after": "/etc/ssl/certs/ca-certificates.crt"},
    ]
    lines = command("diff", debian.path, other.path).out.splitlines()
    assert [line[:1] for line in lines] == ["-", "~", "+", "-", "~"]
    back = command("diff", other.path, debian.path, "--format", "json").document
    assert [each["name"] for each in back["added"]] == ["Beta_Root"]


def test_another_key_under_the_same_name_is_not_a_renewal(command, install, debian, other, ca, tmp_path):
    install("--cert", ca)
    (tmp_path / "new.pem").write_bytes(Authority("My Root", organization="Org").pem)
    command("install", "--root", other.path, "--cert", tmp_path / "new.pem")
    found = command("diff", debian.path, other.path, "--format", "json").document
    assert (len(found["added"]), len(found["removed"]), found["renewed"]) == (1, 1, [])


def test_an_output_that_lost_an_anchor_is_a_difference(command, install, debian, other, ca):
    install("--cert", ca)
    command("install", "--root", other.path, "--cert", ca)
    (link,) = (path for path in (other.path / "etc/ssl/certs").glob("*.0") if os.readlink(path) == "my-ca.pem")
    link.unlink()
    result = command("diff", debian.path, other.path, "--format", "json")
    assert (result.status, result.document["added"], result.document["removed"]) == (1, [], [])
    assert [each["after"]["outputs"] for each in result.document["outputs"]] == [["bundle"]]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('[c8y]\nroot_cert_path = "/a"\n', "[c8y]\n", [("c8y.root_cert_path", "/a", None)]),
        ('[azure]\nroot_cert_path = "/a"\n', '[az]\nroot_cert_path = "/a"\n', []),
        (
            '[config]\nversion = "2"\n[c8y.profiles.edge]\nroot_cert_path = "/a"\n',
            '[config]\nversion = "2"\n',
            [("c8y.profiles.edge.root_cert_path", "/a", None)],
        ),
        (
            '[mqtt]\nclient_ca_path = "/a"\n',
            '[config]\nversion = "2"\n[mqtt.client.auth]\nca_dir = "/b"\n',
            [("mqtt.client.auth.ca_dir", "/a", "/b")],
        ),
    ],
)
def test_settings_are_read_however_they_are_spelled(command, debian, other, old, new, changed):
    debian.write("etc/tedge/tedge.toml", old.encode())
    other.write("etc/tedge/tedge.toml", new.encode())
    found = command("diff", debian.path, other.path, "--format", "json").document["settings"]
    assert [(each["key"], each["before"], each["after"]) for each in found] == changed


def test_a_mapper_file_of_2_wins_over_tedge_toml_and_the_drop_in_over_both(command, debian, other):
    debian.write("etc/tedge/tedge.toml", b'[c8y]\nroot_cert_path = "/old"\n')
    for tree in (debian, other):
        tree.write("etc/tedge/mappers/c8y/mapper.toml", b'cloud_type = "c8y"\nroot_cert_path = "/new"\n')
    assert command("diff", debian.path, other.path).status == 0
    command("install", "--root", other.path, "--set-at-run-time", "c8y.root_cert_path=/env 1%", "--settings-as", "env")
    found = command("diff", debian.path, other.path, "--format", "json").document["settings"]
    assert found == [{"key": "c8y.root_cert_path", "before": "/new", "after": "/env 1%"}]


def test_settings_that_are_not_toml(command, debian, other):
    debian.write("etc/tedge/tedge.toml", b"[c8y\n")
    result = command("diff", debian.path, other.path, "--format", "json")
    assert (result.status, [each[0] for each in result.errors]) == (2, ["thin-edge-toml"])


def test_the_setting_of_a_mapper_of_the_user(command, debian, other):
    file = "etc/tedge/mappers/thingsboard/mapper.toml"
    (debian.path / "etc/tedge").mkdir(exist_ok=True)
    other.write(file, b'[device]\nroot_cert_path = "../ca.pem"\n')
    found = command("diff", debian.path, other.path, "--format", "json").document["settings"]
    assert found == [{"key": "thingsboard.device.root_cert_path", "before": None, "after": "/etc/tedge/mappers/ca.pem"}]


def test_at_decides_which_roots_of_a_certdata_file_are_the_configs(command, debian, tmp_path):
    """Mozilla distrusts what the root issued after 2024-11-30, so install skips it once all of that has expired."""
    authority = Authority("Listed Root")
    objects = certificate_object(authority.der, until("241130235959Z"), label='"Listed"')
    (tmp_path / "certdata.txt").write_bytes(certdata(objects, trust_object(TRUSTED, der=authority.der)))
    (tmp_path / "rt.toml").write_text('[[anchor]]\nfile = "certdata.txt"\n')
    words = ("--root", debian.path, "--config", tmp_path / "rt.toml")
    assert command("install", *words, "--at", "2024-12-01").status == 0

    def origin(day: str) -> str:
        anchors = command("list", *words, "--at", day, "--format", "json").document["anchors"]
        return next(each["origin"] for each in anchors if each["sha256"] == authority.sha256)

    assert (origin("2024-12-01"), origin("2040-01-01")) == ("rootfs-trust", "local")
