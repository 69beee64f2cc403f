"""Anchors that are trusted for some names only: installed, renewed, refused, listed and checked."""

from __future__ import annotations

import shutil

import pytest
from cryptography import x509

from rootfs_trust.store.jks import KeystoreEntry, write_keystore
from rootfs_trust.x509 import blocks, parse_certificate
from rootfs_trust.x509.constrained import original_of, shown_names
from tests.support.authority import Authority
from tests.support.debian_tree import SHIPPED, shipped_authority
from tests.support.layout_trees import FAMILIES, LayoutTree

STORED = "usr/local/share/ca-certificates/company.crt"


@pytest.fixture
def company(tmp_path):
    authority = Authority("Company CA")
    (tmp_path / "company.pem").write_bytes(authority.pem)
    return authority


@pytest.fixture
def config(tmp_path):
    def write(table: str):
        path = tmp_path / "rootfs-trust.toml"
        path.write_text(f"[[anchor]]\nfile = 'company.pem'\n{table}\n")
        return path

    return write


def stored(debian):
    return parse_certificate(blocks((debian.path / STORED).read_bytes())[0].der)


def permitted(certificate):
    return shown_names(certificate.name_constraints.permitted)


def test_the_command_line_constrains_a_ca(install, debian, company, tmp_path):
    result = install("--cert", tmp_path / "company.pem", "--permit", "corp.example", "--permit", "10.0.0.0/8")
    assert result.status == 0
    (anchor,) = result.document["anchors"]
    assert anchor["original_sha256"] == company.sha256
    assert anchor["sha256"] == stored(debian).sha256 != company.sha256
    assert permitted(stored(debian)) == ["corp.example", "10.0.0.0/8"]


def test_a_second_run_changes_nothing(install, company, config):
    path = config("permitted = ['corp.example']\nexcluded = ['bad.corp.example']")
    assert install("--config", path).document["changed"]
    assert not install("--config", path).document["changed"]


def test_a_pin_is_the_digest_of_the_file_that_is_given(install, company, config):
    path = config(f"permitted = ['corp.example']\nsha256 = '{company.sha256}'")
    assert install("--config", path).status == 0


def test_list_shows_the_names(command, install, debian, company, config):
    install("--config", config("permitted = ['corp.example']"))
    anchors = command("list", "--root", debian.path, "--format", "json").document["anchors"]
    (anchor,) = [each for each in anchors if each["name"] == "company"]
    assert (anchor["permitted"], anchor["original_sha256"]) == (["corp.example"], company.sha256)
    assert anchor["excluded"] == ["0.0.0.0/0", "::/0"]


def test_list_and_report_say_for_which_names_it_is_trusted(command, install, debian, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']\nexcluded = ['bad.corp.example']"))
    said = "only for corp.example but bad.corp.example"
    assert f"    trusted {said}\n" in command("list", "--root", debian.path).out
    for name in ("report.html", "report.md"):
        command("report", "--root", debian.path, "-o", tmp_path / name)
        assert f"every client, {said}" in (tmp_path / name).read_text().replace("\\", "")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("permitted = ['a.example']", "permitted = ['b.example']", "only for b.example; was only for a.example"),
        (
            "excluded = ['a.example']",
            "permitted = ['b.example']",
            "only for b.example; was for every name but a.example",
        ),
    ],
)
def test_diff_shows_a_change_of_names(command, install, debian, company, config, tmp_path, before, after, said):
    install("--config", config(before))
    shutil.copytree(debian.path, tmp_path / "before", symlinks=True)
    install("--config", config(f"{after}\nreplace = true"))
    result = command("diff", tmp_path / "before", debian.path)
    assert result.status == 1
    (line,) = result.out.splitlines()
    assert line.startswith("~ company (local")
    assert line.endswith(f"), trusted {said}")


def test_diff_shows_new_names_and_new_dates(command, install, debian, company, tmp_path):
    install("--cert", tmp_path / "company.pem")
    shutil.copytree(debian.path, tmp_path / "before", symlinks=True)
    (tmp_path / "company.pem").write_bytes(company.renewed().pem)
    install("--cert", tmp_path / "company.pem", "--permit", "corp.example", "--replace", "company")
    (line,) = command("diff", tmp_path / "before", debian.path).out.splitlines()
    assert "), trusted only for corp.example; was for every name, renewed: was until " in line


def test_verify_judges_by_the_names(command, install, debian, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']"))
    for host, trusted in {"host.corp.example": True, "evil.example": False}.items():
        (tmp_path / "chain.pem").write_bytes(company.server(host).pem)
        words = ("--chain", tmp_path / "chain.pem", "--hostname", host, "--client", "go", "--client", "openssl-bundle")
        result = command("verify", "--root", debian.path, *words, "--format", "json")
        assert [each["trusted"] for each in result.document["verdicts"]] == [trusted] * 2


def test_a_renewal_keeps_the_names(install, debian, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']"))
    renewed = company.renewed()
    (tmp_path / "company.pem").write_bytes(renewed.pem)
    words = ("--cert", tmp_path / "company.pem", "--replace", "company")
    assert install(*words).status == 0
    assert original_of(stored(debian)) == renewed.sha256
    assert permitted(stored(debian)) == ["corp.example"]
    assert not install(*words).document["changed"]


def test_without_replace_a_constrained_anchor_is_not_renewed(install, refused, debian, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']"))
    before = debian.snapshot()
    for given in (company, company.renewed()):
        (tmp_path / "company.pem").write_bytes(given.pem)
        refused("--cert", tmp_path / "company.pem", status=3)
    assert debian.snapshot() == before


def test_a_renewal_that_cannot_be_constrained_is_a_conflict(install, refused, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']"))
    (tmp_path / "company.pem").write_bytes(Authority("Company CA", key=company.key, ca=False).pem)
    (error,) = refused("--cert", tmp_path / "company.pem", "--replace", "company", status=3).document["errors"]
    assert error["message"].startswith("replaces an anchor that is constrained to some names, and ")


def test_a_renewal_may_bring_other_names(install, debian, company, config):
    install("--config", config("permitted = ['corp.example']"))
    assert install("--config", config("permitted = ['other.example']\nreplace = true")).status == 0
    assert permitted(stored(debian)) == ["other.example"]


def test_the_same_ca_with_and_without_names_is_refused(refused, company, config, tmp_path):
    result = refused("--config", config("permitted = ['corp.example']"), "--cert", tmp_path / "company.pem")
    assert [id_ for id_, _ in result.errors] == ["not-constrained"]


def test_the_original_in_the_store_is_a_conflict(refused, debian, company, config):
    debian.write("usr/local/share/ca-certificates/original.crt", company.pem)
    result = refused("--config", config("permitted = ['corp.example']"), status=3)
    assert "without these name constraints" in result.document["errors"][0]["message"]


def java_store(debian):
    store = write_keystore([KeystoreEntry("debian:company.pem", 0, shipped_authority(SHIPPED[0]).der)])
    debian.write("etc/ssl/certs/java/cacerts", store)
    debian.write("etc/ca-certificates/update.d/jks-keystore", b"#!/bin/sh\n")
    debian.write("etc/default/cacerts", b"cacerts_updates=yes\n")


def test_a_client_that_ignores_the_names_is_a_conflict(refused, debian, company, config):
    java_store(debian)
    result = refused("--config", config("permitted = ['corp.example']"), status=3)
    assert [path for _, path in result.errors] == ["/etc/ssl/certs/java/cacerts"]
    assert "Java ignores" in result.document["errors"][0]["message"]


def test_where_possible_installs_it_with_a_warning(install, debian, company, config):
    java_store(debian)
    result = install("--config", config("permitted = ['corp.example']\nfence = 'where-possible'"))
    assert result.status == 0
    assert ("fence-ignored", "/etc/ssl/certs/java/cacerts") in result.warnings


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("permitted = []", "a list of at least one name"),
        ("permitted = ['*.corp.example']", "includes its subdomains"),
        ("excluded = ['10.0.0.1/8']", "host bits set"),
        ("fence = 'maybe'", "everywhere"),
    ],
)
def test_a_wrong_list_is_one_error_with_its_line(refused, company, config, table, said):
    (error,) = refused("--config", config(table)).document["errors"]
    assert said in error["message"]
    assert error["path"].endswith(":3")


def test_names_that_the_ca_itself_does_not_permit(refused, config, tmp_path):
    own = Authority(more=(x509.NameConstraints([x509.DNSName("corp.example")], None),))
    (tmp_path / "company.pem").write_bytes(own.pem)
    (error,) = refused("--config", config("permitted = ['other.example']")).document["errors"]
    assert "permits none of the names" in error["message"]


def test_a_server_certificate_cannot_be_constrained(refused, company, tmp_path):
    (tmp_path / "server.pem").write_bytes(Authority("host.example", ca=False).pem)
    (error,) = refused("--cert", tmp_path / "server.pem", "--permit", "corp.example").document["errors"]
    assert "is not a CA certificate" in error["message"]


@pytest.mark.parametrize("words", [("--permit", "corp.example"), ("--permit", "*.x", "--cert", "company.pem")])
def test_a_permit_that_means_nothing_is_wrong_use(refused, company, words):
    assert [id_ for id_, _ in refused(*words).errors] == ["usage"]


def test_remove_deletes_it(command, install, debian, company, config):
    install("--config", config("permitted = ['corp.example']"))
    assert command("remove", "--root", debian.path, "company").status == 0
    assert not (debian.path / STORED).exists()


def test_commands_that_read_know_the_constrained_certificate_as_the_configured_anchor(
    command, install, debian, company, config
):
    path = config("permitted = ['corp.example']")
    path.write_text(path.read_text() + "[policy]\nallow_only = ['sha256:" + "0" * 64 + "']\n")
    install("--config", path)
    words = ("--root", debian.path, "--config", path)
    found = command("check", *words, "--format", "json").document["findings"]
    assert not {"anchor-missing", "not-allowed"} & {each["id"] for each in found if each.get("sha256") in known(debian)}
    anchors = command("list", *words, "--format", "json").document["anchors"]
    assert [each["origin"] for each in anchors if each["name"] == "company"] == ["rootfs-trust"]
    components = command("sbom", *words).document["components"]
    origins = [each["properties"] for each in components if each["name"] == "company"]
    assert [p["value"] for each in origins for p in each if p["name"].endswith("origin")] == ["rootfs-trust"]


def known(debian):
    return {None, stored(debian).sha256, original_of(stored(debian))}


def test_a_config_without_names_knows_the_renewal_that_kept_them(command, install, debian, company, config, tmp_path):
    install("--config", config("permitted = ['corp.example']"))
    (tmp_path / "company.pem").write_bytes(company.renewed().pem)
    words = ("--config", config("replace = true"))
    assert install(*words).status == 0
    found = command("check", "--root", debian.path, *words, "--format", "json").document["findings"]
    assert "anchor-missing" not in {each["id"] for each in found}


def test_other_names_than_the_configured_ones_are_another_anchor(command, install, debian, company, config):
    install("--config", config("permitted = ['corp.example']"))
    words = ("--root", debian.path, "--config", config("permitted = ['other.example']"), "--format", "json")
    assert "anchor-missing" in {each["id"] for each in command("check", *words).document["findings"]}


def test_names_that_the_ca_does_not_permit_are_an_error_of_check_too(command, debian, config, tmp_path):
    authority = Authority(more=(x509.NameConstraints([x509.DNSName("a.example")], None),))
    (tmp_path / "company.pem").write_bytes(authority.pem)
    result = command(
        "check", "--root", debian.path, "--config", config("permitted = ['b.example']"), "--format", "json"
    )
    assert (result.status, [id_ for id_, _ in result.errors]) == (2, ["not-constrained"])


WITHOUT_JAVA = [each for each in FAMILIES if each.name not in ("debian", "fedora", "suse", "arch")]


@pytest.mark.parametrize("family", WITHOUT_JAVA, ids=lambda family: family.name)
def test_a_renewal_keeps_the_names_on_every_layout(command, company, tmp_path, family):
    tree = LayoutTree(tmp_path / "tree", family)
    words = ("install", "--root", tree.root, "--cert", tmp_path / "company.pem", "--format", "json", "--drop-unsourced")
    assert command(*words, "--permit", "corp.example").status == 0
    renewed = company.renewed()
    (tmp_path / "company.pem").write_bytes(renewed.pem)
    (anchor,) = command(*words, "--replace", "company").document["anchors"]
    assert anchor["original_sha256"] == renewed.sha256


@pytest.mark.parametrize("family", WITHOUT_JAVA, ids=lambda family: family.name)
def test_another_ca_is_not_constrained_to_the_names_of_an_anchor(command, company, tmp_path, family):
    tree = LayoutTree(tmp_path / "tree", family)
    (tmp_path / "other.pem").write_bytes((other := Authority("Other CA")).pem)
    words = ("install", "--root", tree.root, "--format", "json", "--drop-unsourced", "--cert")
    assert command(*words, tmp_path / "company.pem", "--permit", "corp.example").status == 0
    (anchor,) = command(*words, tmp_path / "other.pem", "--replace", "other").document["anchors"]
    assert anchor["sha256"] == other.sha256 and "original_sha256" not in anchor
