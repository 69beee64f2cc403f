"""The store that install leaves behind on a Debian tree, and what it will not write over."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib

import pytest

from rootfs_trust import x509
from tests.support.authority import Authority
from tests.support.debian_tree import CONF, SHIPPED, DebianTree, contents, shipped_authority, snapshot

LOCAL = "usr/local/share/ca-certificates"
CERTS = "etc/ssl/certs"
BUNDLE = f"{CERTS}/ca-certificates.crt"


@pytest.fixture
def ca(tmp_path):
    def write(each: Authority, name: str = "ca.pem") -> str:
        (tmp_path / name).write_bytes(each.pem)
        return str(tmp_path / name)

    return write


def links(tree: DebianTree) -> dict[str, str]:
    directory = tree.path / CERTS
    return {
        name: os.readlink(directory / name) for name in sorted(os.listdir(directory)) if (directory / name).is_symlink()
    }


def subject_hash(each: Authority) -> str:
    return x509.parse_certificate(each.der).subject.hash


def pem_of(tree: DebianTree, name: str) -> bytes:
    """What the device reads at a link of the hash directory."""
    path = os.path.join("/", CERTS, name)
    while os.path.islink(tree.root + path):
        path = os.path.join(os.path.dirname(path), os.readlink(tree.root + path))
    return tree.read(path.lstrip("/"))


# -- the whole ---------------------------------------------------------------------------------------------


def test_the_whole_store(install, debian, authority, ca):
    result = install("--cert", ca(authority))
    assert (result.status, result.document["layout"], result.document["changed"]) == (0, "debian", True)
    shipped = [shipped_authority(name) for name in SHIPPED]
    assert debian.read(BUNDLE) == b"".join(each.pem for each in (*shipped, authority))
    names = [name.rpartition("/")[2].removesuffix(".crt") for name in SHIPPED]
    expected = {f"{name}.pem": f"/usr/share/ca-certificates/{path}" for name, path in zip(names, SHIPPED, strict=True)}
    expected["ca.pem"] = f"/{LOCAL}/ca.crt"
    for name, each in zip([*names, "ca"], [*shipped, authority], strict=True):
        expected[f"{subject_hash(each)}.0"] = f"{name}.pem"
    assert links(debian) == expected
    assert set(os.listdir(debian.path / CERTS)) == {*expected, "ca-certificates.crt"}
    assert {path for action, path in result.actions} == {
        *(f"/{CERTS}/{name}" for name in expected),
        f"/{BUNDLE}",
        f"/{LOCAL}/ca.crt",
    }


def test_the_json_document_holds_what_the_contract_says(install, debian, authority, ca):
    result = install("--cert", ca(authority), "--cloud", "c8y")
    document = result.document
    assert set(document) >= {"changed", "layout", "actions", "anchors", "warnings", "conflicts"}
    assert document["changed"] is True and document["conflicts"] == []
    assert all(set(each) >= {"action", "path"} for each in document["actions"])
    assert {each["action"] for each in document["actions"]} <= {"put", "link", "directory", "remove"}
    assert all(each["path"].startswith("/") and debian.root not in each["path"] for each in document["actions"])
    assert all(set(each) >= {"name", "sha256"} for each in document["anchors"])
    assert all(set(each) >= {"id", "path", "message"} for each in document["warnings"])
    assert document["warnings"], "no tedge user: there is a warning to look at"


def test_a_second_run_writes_nothing_at_all(install, debian, authority, ca):
    words = ("--cert", ca(authority), "--cloud", "c8y", "--cloud", "aws@x")
    assert install(*words).document["changed"] is True
    before = debian.snapshot()
    second = install(*words)
    assert (second.status, second.document["changed"], second.actions) == (0, False, [])
    assert second.anchors == {"ca": authority.sha256}
    assert debian.snapshot() == before


@pytest.mark.parametrize("configured", [True, False])
def test_a_dry_run_says_it_all_and_writes_nothing(command, tmp_path, authority, ca, configured):
    tree = DebianTree(tmp_path / "tree", configured=configured)
    words = ("install", "--root", tree.path, "--cert", ca(authority), "--cloud", "c8y", "--format", "json")
    before = tree.snapshot()
    dry = command(*words, "--dry-run")
    assert (dry.status, dry.document["changed"]) == (0, True)
    assert tree.snapshot() == before
    wet = command(*words)
    assert wet.actions == dry.actions and wet.anchors == dry.anchors
    assert tree.snapshot() != before


def test_nothing_asked_for_rebuilds_the_store(install, debian):
    first = install()
    assert (first.status, first.anchors) == (0, {})
    assert debian.read(BUNDLE) == b"".join(shipped_authority(name).pem for name in SHIPPED)
    assert not (debian.path / "etc/tedge/tedge.toml").exists()
    (debian.path / BUNDLE).unlink()
    (debian.path / CERTS / "Beta_Root.pem").unlink()
    second = install()
    assert {path for _, path in second.actions} == {f"/{BUNDLE}", f"/{CERTS}/Beta_Root.pem"}


def test_files_of_the_local_directory_are_found_below_and_through_links(install, debian, authority, other_authority):
    debian.write(f"{LOCAL}/below/deeper/a.crt", authority.pem)
    debian.write("opt/b", other_authority.pem)
    (debian.path / LOCAL / "b.crt").symlink_to("/opt/b")
    (debian.path / LOCAL / "loop").symlink_to(".")
    debian.write(f"{LOCAL}/README", b"not looked at")
    debian.write(f"{LOCAL}/c.pem", b"not looked at either")
    assert install().status == 0
    found = links(debian)
    assert found["a.pem"] == f"/{LOCAL}/below/deeper/a.crt"
    assert found["b.pem"] == f"/{LOCAL}/b.crt"
    assert "c.pem" not in found
    assert debian.read(BUNDLE).endswith(other_authority.pem + authority.pem)


def test_names_are_mangled_as_the_distribution_does_it(install, debian, authority):
    debian.write(f"{LOCAL}/A, B (C).crt", authority.pem)
    assert install().status == 0
    assert links(debian)["A__B_=C=.pem"] == f"/{LOCAL}/A, B (C).crt"


# -- the list of shipped certificates ----------------------------------------------------------------------


def test_a_tree_that_was_never_configured(command, tmp_path, authority, ca):
    tree = DebianTree(tmp_path / "tree", configured=False)
    (tree.path / "etc/os-release").unlink()
    result = command("install", "--root", tree.path, "--cert", ca(authority), "--format", "json")
    assert (result.status, result.document["layout"]) == (0, "debian")
    lines = tree.read(CONF).decode().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == list(SHIPPED)
    assert lines[0].startswith("# This file lists certificates")
    assert (tree.path / CONF).stat().st_mode & 0o7777 == 0o644
    assert ("put", f"/{CONF}") in result.actions
    configured = DebianTree(tmp_path / "configured")
    assert command("install", "--root", configured.path, "--cert", ca(authority)).status == 0
    assert contents(tree.path / CERTS) == contents(configured.path / CERTS)


def test_a_shipped_root_that_is_not_listed_is_not_trusted(install, debian):
    debian.write(CONF, f"# comment\n{SHIPPED[2]}\n!{SHIPPED[1]}\n\n".encode())
    assert install().status == 0
    assert debian.read(BUNDLE) == shipped_authority(SHIPPED[2]).pem
    assert [name for name in links(debian) if name.endswith(".pem")] == ["Gamma_Root.pem"]
    assert debian.read(CONF) == f"# comment\n{SHIPPED[2]}\n!{SHIPPED[1]}\n\n".encode()


def test_a_listed_file_that_does_not_exist_is_a_warning(install, debian):
    debian.write(CONF, f"{SHIPPED[0]}\nmozilla/Gone.crt\n{SHIPPED[1]}\n".encode())
    result = install()
    assert (result.status, result.warnings) == (
        0,
        [("source-missing", "/usr/share/ca-certificates/mozilla/Gone.crt")],
    )
    assert debian.read(BUNDLE) == shipped_authority(SHIPPED[0]).pem + shipped_authority(SHIPPED[1]).pem


def test_a_last_line_without_newline_is_ignored_with_a_warning(install, debian):
    debian.write(CONF, "\n".join(SHIPPED).encode())
    result = install()
    assert (result.status, result.warnings) == (0, [("conf-last-line", f"/{CONF}")])
    assert debian.read(BUNDLE) == shipped_authority(SHIPPED[0]).pem + shipped_authority(SHIPPED[1]).pem


def test_one_that_a_line_of_the_list_distrusts_is_a_conflict(refused, debian, ca):
    debian.write(CONF, f"!{SHIPPED[0]}\n{SHIPPED[1]}\n{SHIPPED[2]}\n".encode())
    result = refused("--cert", ca(shipped_authority(SHIPPED[0])), status=3)
    assert result.errors == [("conflict", f"/usr/share/ca-certificates/{SHIPPED[0]}")]
    (error,) = result.document["errors"]
    assert (
        "is distrusted by the rootfs" in error["message"]
        and "!" in error["hint"]
        and "ca-certificates.conf" in error["hint"]
    )
    # --replace does not take that back.
    assert refused("--cert", ca(shipped_authority(SHIPPED[0])), "--replace", "ca", status=3).errors == result.errors


# -- names that are taken ----------------------------------------------------------------------------------


def test_another_certificate_under_a_name_that_is_taken(install, refused, debian, authority, other_authority, ca):
    assert install("--cert", ca(authority)).status == 0
    result = refused("--cert", ca(other_authority), status=3)
    assert result.errors == [("conflict", f"/{LOCAL}/ca.crt")]
    assert "--replace ca" in result.document["errors"][0]["hint"]


@pytest.mark.parametrize("way", ["option", "config"])
def test_a_renewed_ca_takes_the_place_of_the_old_one(install, debian, authority, ca, tmp_path, way):
    assert install("--cert", ca(authority)).status == 0
    before = links(debian)
    renewed = authority.renewed()
    file = ca(renewed)
    (tmp_path / "trust.toml").write_text('[[anchor]]\nfile = "ca.pem"\nreplace = true\n')
    words = ("--cert", file, "--replace", "ca") if way == "option" else ("--config", tmp_path / "trust.toml")
    result = install(*words)
    assert result.status == 0
    assert result.actions == [("put", f"/{BUNDLE}"), ("put", f"/{LOCAL}/ca.crt")]
    assert debian.read(f"{LOCAL}/ca.crt") == renewed.pem
    assert authority.pem not in debian.read(BUNDLE) and renewed.pem in debian.read(BUNDLE)
    assert links(debian) == before
    again = install(*words)
    assert (again.status, again.document["changed"]) == (0, False)


def test_one_with_another_subject_takes_the_hash_link_with_it(install, debian, authority, other_authority, ca):
    assert install("--cert", ca(authority)).status == 0
    result = install("--cert", ca(other_authority), "--replace", "ca")
    assert result.status == 0
    found = links(debian)
    assert f"{subject_hash(authority)}.0" not in found
    assert found[f"{subject_hash(other_authority)}.0"] == "ca.pem"
    assert result.actions == [
        ("put", f"/{BUNDLE}"),
        ("put", f"/{LOCAL}/ca.crt"),
        ("link", f"/{CERTS}/{subject_hash(other_authority)}.0"),
        ("remove", f"/{CERTS}/{subject_hash(authority)}.0"),
    ]


def test_a_name_whose_link_a_shipped_one_has(refused, debian, authority, ca):
    result = refused("--cert", ca(authority, "Alpha_Root.pem"), status=3)
    assert result.errors == [("conflict", f"/usr/share/ca-certificates/{SHIPPED[0]}")]
    assert refused("--cert", ca(authority, "Alpha_Root.pem"), "--replace", "Alpha_Root", status=3).errors == (
        result.errors
    )


def test_a_name_whose_link_one_in_a_directory_below_has(refused, debian, authority, other_authority, ca):
    debian.write(f"{LOCAL}/below/ca.crt", other_authority.pem)
    assert refused("--cert", ca(authority), "--replace", "ca", status=3).errors == [
        ("conflict", f"/{LOCAL}/below/ca.crt")
    ]


def test_a_directory_of_sources_that_has_the_name_is_a_conflict(refused, debian, authority, other_authority, ca):
    """Through a link, too: writing a file over the link would take away all that is found behind it."""
    debian.write("opt/more/x.crt", other_authority.pem)
    (debian.path / LOCAL / "ca.crt").symlink_to("/opt/more")
    result = refused("--cert", ca(authority), "--replace", "ca", status=3)
    assert result.errors == [("conflict", f"/{LOCAL}/ca.crt/x.crt")]


def test_replace_names_one_of_the_given_certificates(refused, authority, ca):
    result = refused("--cert", ca(authority), "--replace", "cb", "--replace", "ca")
    assert result.errors == [("replace", "")]
    (error,) = result.document["errors"]
    assert "--replace cb" in error["message"] and "ca" in error["hint"]
    assert "(none)" in refused("--replace", "ca").document["errors"][0]["hint"]


def test_replace_where_nothing_is_to_be_replaced(install, debian, authority, ca):
    assert install("--cert", ca(authority), "--replace", "ca").status == 0
    assert debian.read(f"{LOCAL}/ca.crt") == authority.pem


# -- what belongs to others --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{LOCAL}/ca.crt", "folder"),
        (f"{LOCAL}/ca.crt", "fifo"),
        (f"{CERTS}/ca.pem", "file"),
        (f"{CERTS}/ca.pem", "folder"),
        (f"{CERTS}/ca.pem", "fifo"),
        (BUNDLE, "folder"),
        (BUNDLE, "fifo"),
        (LOCAL, "file"),
        (CERTS, "file"),
        ("etc/ssl", "file"),
        ("etc/ssl", "dangling"),
        (LOCAL, "dangling"),
        ("usr/local", "loop"),
    ],
)
def test_what_a_user_has_in_the_place_is_a_conflict(refused, debian, authority, ca, path, kind):
    place = debian.path / path
    if place.is_dir():
        shutil.rmtree(place)
    if kind == "folder":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "file":
        place.write_bytes(b"a user's own")
    else:
        place.symlink_to("/volume" if kind == "dangling" else place.name)
    result = refused("--cert", ca(authority), status=3)
    assert result.errors == [("conflict", f"/{path}")]
    assert "exists where" in result.document["errors"][0]["message"]


def test_a_hash_links_place_taken_by_a_file(refused, debian, authority, ca):
    path = f"{CERTS}/{subject_hash(authority)}.0"
    debian.write(path, authority.pem)
    assert refused("--cert", ca(authority), status=3).errors == [("conflict", f"/{path}")]


def test_all_conflicts_are_reported_at_once(refused, debian, authority, other_authority, ca):
    debian.write(f"{LOCAL}/key.crt", other_authority.key_pem)
    debian.write(f"{LOCAL}/none.crt", b"hello\n")
    debian.write(f"{CERTS}/ca.pem", b"own")
    debian.write(BUNDLE, other_authority.pem)
    result = refused("--cert", ca(authority), status=3, secret=other_authority.key_pem)
    assert sorted(result.errors) == [
        ("conflict", f"/{BUNDLE}"),
        ("conflict", f"/{CERTS}/ca.pem"),
        ("conflict", f"/{LOCAL}/key.crt"),
        ("conflict", f"/{LOCAL}/none.crt"),
    ]


def test_bad_input_comes_before_conflicts(refused, debian, tmp_path):
    debian.write(f"{LOCAL}/none.crt", b"hello\n")
    (tmp_path / "empty.pem").write_bytes(b"")
    assert refused("--cert", tmp_path / "empty.pem").errors == [("no-certificate", str(tmp_path / "empty.pem"))]


def test_a_users_own_certificate_in_the_hash_directory_stays_and_is_linked(install, debian, authority):
    debian.write(f"{CERTS}/own.pem", authority.pem)
    debian.write(f"{CERTS}/notes.txt", b"mine")
    (debian.path / CERTS / "elsewhere.pem").symlink_to("/opt/nowhere.pem")
    assert install().status == 0
    assert debian.read(f"{CERTS}/own.pem") == authority.pem
    assert debian.read(f"{CERTS}/notes.txt") == b"mine"
    assert links(debian)[f"{subject_hash(authority)}.0"] == "own.pem"
    assert links(debian)["elsewhere.pem"] == "/opt/nowhere.pem"
    assert authority.pem not in debian.read(BUNDLE)


# -- sources that are not as they should be ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda each: each.key_pem, "private key"),
        (lambda each: each.pem + each.key_pem, "private key"),
        (lambda each: each.key_der, "private key"),
        (lambda each: each.key_pem.decode().encode("utf-16"), "private key"),
        (lambda _: b"", "no certificate"),
        (lambda _: b"hello\n", "no certificate"),
        (lambda _: b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", "no certificate"),
        (lambda each: each.pem[:300], "malformed in line 1"),
        (lambda each: b"\n\n" + each.pem.replace(b"MII", b"M!I", 1), "malformed in line 3"),
        (lambda each: each.der, "DER"),
        (lambda each: each.der[:100], "no certificate"),
    ],
    ids=["key", "with-key", "key-der", "key-utf16", "empty", "text", "public-key", "cut", "base64", "der", "cut-der"],
)
def test_a_source_that_no_client_could_read_is_a_conflict(refused, debian, authority, content, says):
    debian.write(f"{LOCAL}/bad.crt", content(authority))
    result = refused(status=3, secret=authority.key_pem)
    assert result.errors == [("conflict", f"/{LOCAL}/bad.crt")]
    assert says in result.document["errors"][0]["message"]


def test_a_shipped_source_is_judged_likewise(refused, debian):
    debian.write(f"usr/share/ca-certificates/{SHIPPED[1]}", b"")
    assert refused(status=3).errors == [("conflict", f"/usr/share/ca-certificates/{SHIPPED[1]}")]


def test_what_is_not_trusted_is_not_judged(install, debian):
    debian.write(f"usr/share/ca-certificates/{SHIPPED[1]}", b"")
    debian.write(CONF, f"{SHIPPED[0]}\n!{SHIPPED[1]}\n".encode())
    assert install().status == 0


UNTIDY = {
    "crlf": lambda each: each.pem.replace(b"\n", b"\r\n"),
    "bom": lambda each: b"\xef\xbb\xbf" + each.pem,
    "text": lambda each: b"my CA\n" + each.pem,
    "label": lambda each: each.pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
}


@pytest.mark.parametrize("form", UNTIDY)
def test_a_malformed_source_is_used_with_a_warning(install, debian, authority, form):
    content = UNTIDY[form](authority)
    debian.write(f"{LOCAL}/malformed.crt", content)
    result = install()
    assert (result.status, result.warnings) == (0, [("pem-not-clean", f"/{LOCAL}/malformed.crt")])
    assert "--adopt" in result.document["warnings"][0]["hint"]
    assert debian.read(f"{LOCAL}/malformed.crt") == content
    assert debian.read(BUNDLE).endswith(content)


@pytest.mark.parametrize("form", [*UNTIDY, "der"])
def test_adopt_rewrites_a_malformed_source(install, debian, authority, form):
    debian.write(f"{LOCAL}/malformed.crt", authority.der if form == "der" else UNTIDY[form](authority))
    before = debian.snapshot()
    assert install("--adopt", "--dry-run").status == 0
    assert debian.snapshot() == before
    result = install("--adopt")
    assert (result.status, result.warnings) == (0, [])
    assert debian.read(f"{LOCAL}/malformed.crt") == authority.pem
    assert debian.read(BUNDLE).endswith(authority.pem)
    assert links(debian)[f"{subject_hash(authority)}.0"] == "malformed.pem"
    assert install().document["changed"] is False


def test_adopt_does_not_help_what_holds_no_certificate_or_a_key(refused, debian, authority):
    debian.write(f"{LOCAL}/a.crt", authority.pem + authority.key_pem)
    debian.write(f"{LOCAL}/b.crt", b"x")
    result = refused("--adopt", status=3, secret=authority.key_pem)
    assert result.errors == [("conflict", f"/{LOCAL}/a.crt"), ("conflict", f"/{LOCAL}/b.crt")]


def test_a_source_of_several_certificates(install, debian, authority, other_authority):
    debian.write(f"{LOCAL}/two.crt", authority.pem + other_authority.pem)
    result = install()
    assert (result.status, result.warnings) == (0, [("several-certificates", f"/{LOCAL}/two.crt")])
    assert "2 certificates" in result.document["warnings"][0]["message"]
    assert not any(target == "two.pem" for target in links(debian).values())
    adopted = install("--adopt")
    assert (adopted.status, adopted.warnings) == (0, [])
    assert debian.read(f"{LOCAL}/two.crt") == authority.pem
    assert debian.read(f"{LOCAL}/Other_Root_CA.crt") == other_authority.pem
    assert links(debian)[f"{subject_hash(other_authority)}.0"] == "Other_Root_CA.pem"
    assert install().document["changed"] is False


def test_adopt_splits_without_taking_anybodys_name(install, debian, authority, other_authority):
    """The second one would be called as a shipped one, and the third as another of the directory."""
    second, third = Authority("Alpha_Root"), Authority("Other Root CA")
    debian.write(f"{LOCAL}/many.crt", authority.pem + second.pem + third.pem)
    debian.write(f"{LOCAL}/Other_Root_CA.crt", other_authority.pem)
    result = install("--adopt")
    assert result.status == 0
    assert sorted(os.listdir(debian.path / LOCAL)) == sorted(
        [
            "many.crt",
            "Other_Root_CA.crt",
            f"Other_Root_CA-{third.sha256[:8]}.crt",
            f"Alpha_Root-{second.sha256[:8]}.crt",
        ]
    )
    assert debian.read(f"{LOCAL}/Other_Root_CA.crt") == other_authority.pem
    assert links(debian)["Alpha_Root.pem"] == f"/usr/share/ca-certificates/{SHIPPED[0]}"
    for each in (authority, second, third, other_authority):
        assert debian.read(BUNDLE).count(each.pem) == 1
    assert install().document["changed"] is False


def test_adopt_makes_no_second_copy(install, debian, authority, other_authority):
    debian.write(f"{LOCAL}/many.crt", authority.pem + authority.pem + other_authority.pem)
    debian.write(f"{LOCAL}/other.crt", other_authority.pem)
    assert install("--adopt").status == 0
    assert sorted(os.listdir(debian.path / LOCAL)) == ["many.crt", "other.crt"]
    assert debian.read(f"{LOCAL}/many.crt") == authority.pem


def test_an_anchor_in_a_malformed_source_counts_as_installed(install, debian, authority, ca):
    content = authority.pem.replace(b"\n", b"\r\n")
    debian.write(f"{LOCAL}/ca.crt", content)
    result = install("--cert", ca(authority))
    assert result.status == 0
    assert result.anchors == {"ca": authority.sha256}
    assert debian.read(f"{LOCAL}/ca.crt") == content


def test_several_certificates_are_not_replaced_by_one(refused, install, debian, authority, other_authority, ca):
    debian.write(f"{LOCAL}/ca.crt", authority.pem + other_authority.pem)
    new = ca(Authority("New"))
    result = refused("--cert", new, "--replace", "ca", status=3)
    assert result.errors == [("conflict", f"/{LOCAL}/ca.crt")]
    assert "--adopt" in result.document["errors"][0]["hint"]
    assert install("--cert", new, "--replace", "ca", "--adopt").status == 0
    assert sorted(os.listdir(debian.path / LOCAL)) == ["Other_Root_CA.crt", "ca.crt"]


# -- certificates that only the bundle holds ---------------------------------------------------------------


def test_certificates_that_only_the_bundle_holds_are_never_silently_lost(refused, install, debian, authority):
    assert install().status == 0
    extra = Authority("Appended")
    debian.write(BUNDLE, debian.read(BUNDLE) + b"# mine\n" + extra.pem + authority.pem + extra.pem)
    result = refused(status=3)
    assert result.errors == [("conflict", f"/{BUNDLE}")] * 2
    for each, error in zip((extra, authority), result.document["errors"], strict=True):
        assert each.sha256 in error["message"] and "--drop-unsourced" in error["hint"]
    dropped = install("--drop-unsourced")
    assert (dropped.status, dropped.actions) == (0, [("put", f"/{BUNDLE}")])
    assert extra.pem not in debian.read(BUNDLE)


def test_one_that_only_the_bundle_holds_may_be_given_as_a_certificate(install, debian, authority, ca):
    assert install().status == 0
    debian.write(BUNDLE, debian.read(BUNDLE) + authority.pem)
    assert install("--cert", ca(authority)).status == 0
    assert debian.read(BUNDLE).endswith(authority.pem)


def test_one_with_trust_settings_in_the_bundle_is_the_same_certificate(install, debian):
    der = shipped_authority(SHIPPED[0]).der + b"\x30\x00"
    debian.write(BUNDLE, x509.encode(der, "TRUSTED CERTIFICATE"))
    assert install().status == 0
    assert b"TRUSTED" not in debian.read(BUNDLE)


def test_unreadable_blocks_of_a_bundle_are_ignored(install, debian, authority):
    broken = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    debian.write(BUNDLE, b"hello\n" + broken + authority.pem[:200])
    assert install().status == 0
    assert debian.read(BUNDLE) == b"".join(shipped_authority(name).pem for name in SHIPPED)


def test_a_shipped_root_that_is_no_longer_listed_is_dropped_from_the_bundle(install, debian):
    assert install().status == 0
    debian.write(CONF, f"{SHIPPED[0]}\n!{SHIPPED[1]}\n{SHIPPED[2]}\n".encode())
    result = install()
    assert result.status == 0
    assert shipped_authority(SHIPPED[1]).pem not in debian.read(BUNDLE)
    assert ("remove", f"/{CERTS}/Beta_Root.pem") in result.actions


@pytest.mark.parametrize("place", [f"/{LOCAL}/all.crt", f"/usr/share/ca-certificates/{SHIPPED[0]}", "/opt/all.crt"])
def test_a_bundle_that_is_a_link_becomes_a_file(install, debian, authority, place):
    """As with mv of update-ca-certificates; where the link leads stays as it is, and so does the trust."""
    if not os.path.exists(debian.root + place):
        debian.write(place.lstrip("/"), shipped_authority(SHIPPED[1]).pem)
    behind = debian.read(place.lstrip("/"))
    (debian.path / BUNDLE).symlink_to(place)
    assert install().status == 0
    assert (debian.path / BUNDLE).is_file() and not (debian.path / BUNDLE).is_symlink()
    assert all(shipped_authority(name).pem in debian.read(BUNDLE) for name in SHIPPED)
    assert debian.read(place.lstrip("/")) == behind


# -- hash links --------------------------------------------------------------------------------------------


def test_numbers_are_dense_and_in_the_order_of_names(install, debian):
    same = {name: Authority("Same Subject") for name in ("c", "a", "b")}
    for name, each in same.items():
        debian.write(f"{LOCAL}/{name}.crt", each.pem)
    assert install().status == 0
    digits = subject_hash(same["a"])
    found = links(debian)
    assert [found.get(f"{digits}.{number}") for number in range(4)] == ["a.pem", "b.pem", "c.pem", None]
    (debian.path / LOCAL / "a.crt").unlink()
    result = install("--drop-unsourced")
    assert result.status == 0
    found = links(debian)
    assert [found.get(f"{digits}.{number}") for number in range(3)] == ["b.pem", "c.pem", None]
    assert "a.pem" not in found


def test_stale_links_are_put_right(install, debian, authority, ca):
    assert install("--cert", ca(authority)).status == 0
    good = links(debian)
    certs = debian.path / CERTS
    digits = subject_hash(authority)
    (certs / f"{digits}.0").unlink()
    (certs / f"{digits}.0").symlink_to("Alpha_Root.pem")
    (certs / f"{digits}.1").symlink_to("ca.pem")
    (certs / "deadbeef.0").symlink_to("gone.pem")
    (certs / "DEADBEEF.R07").symlink_to("gone.pem")
    (certs / "Gone.pem").symlink_to("/usr/share/ca-certificates/mozilla/Gone.crt")
    (certs / "Old.pem").symlink_to(f"/{LOCAL}/Old.crt")
    (certs / "ca.pem").unlink()
    (certs / "ca.pem").symlink_to("/somewhere/else")
    result = install()
    assert result.status == 0
    assert links(debian) == good
    assert result.actions == [
        ("link", f"/{CERTS}/ca.pem"),
        ("link", f"/{CERTS}/{digits}.0"),
        *(("remove", f"/{CERTS}/{name}") for name in sorted([f"{digits}.1", "deadbeef.0", "DEADBEEF.R07"])),
        *(("remove", f"/{CERTS}/{name}") for name in ("Gone.pem", "Old.pem")),
    ]


def test_every_hash_link_leads_to_its_certificate(install, debian):
    for number in range(12):
        debian.write(f"{LOCAL}/{number}.crt", Authority(f"Subject {number % 5}").pem)
    assert install().status == 0
    hashed = [name for name in links(debian) if re.fullmatch(r"[0-9a-f]{8}\.\d+", name)]
    assert len(hashed) == 12 + len(SHIPPED)
    for name in hashed:
        certificate = x509.read_objects(pem_of(debian, name)).certificates[0][1]
        assert certificate.subject.hash == name[:8]


# -- the layout --------------------------------------------------------------------------------------------


def test_an_unknown_layout_is_refused(command, tmp_path, authority, ca):
    empty = tmp_path / "empty"
    (empty / "etc").mkdir(parents=True)
    for release, says in ((None, "no os-release"), (b'NAME=Plan9\nID="plan9"\n', "ID=plan9")):
        if release:
            (empty / "etc/os-release").write_bytes(release)
        before = snapshot(empty)
        result = command("install", "--root", empty, "--cert", ca(authority), "--format", "json")
        assert (result.status, result.errors) == (2, [("layout", str(empty))])
        (error,) = result.document["errors"]
        assert says in error["message"]
        assert "--layout" in error["hint"] and "debian" in error["hint"]
        assert snapshot(empty) == before


def test_a_layout_that_is_not_known(refused):
    result = refused("--layout", "debain")
    assert result.errors == [("layout", "")]
    assert "debian" in result.document["errors"][0]["hint"]


def test_a_layout_that_is_named_needs_no_signs(command, tmp_path, authority, ca):
    (tmp_path / "scratch").mkdir()
    result = command(
        "install", "--root", tmp_path / "scratch", "--cert", ca(authority), "--layout", "debian", "--format", "json"
    )
    assert result.status == 0
    assert (tmp_path / "scratch" / BUNDLE).read_bytes() == authority.pem
    assert not (tmp_path / "scratch" / CONF).exists()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("etc/os-release", "ID=debian"),
        ("etc/os-release", "NAME='x'\nID=ubuntu\n"),
        ("etc/os-release", 'ID="raspbian"'),
        ("etc/os-release", 'ID=mydistro\nID_LIKE="foo debian"\n'),
        ("usr/lib/os-release", "ID=debian"),
    ],
)
def test_the_os_release_tells_the_layout(command, tmp_path, file, text):
    path = tmp_path / "tree" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    result = command("install", "--root", tmp_path / "tree", "--format", "json", "--dry-run")
    assert (result.status, result.document["layout"]) == (0, "debian")


def test_a_debian_without_the_package_stays_a_debian(command, tmp_path, authority, ca):
    """debootstrap --variant=minbase: no ca-certificates yet, and after the first run a bundle that nobody shipped."""
    tree = tmp_path / "minbase"
    (tree / "etc").mkdir(parents=True)
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "etc/os-release").write_bytes(b"ID=debian\n")
    for changed in (True, False):
        result = command("install", "--root", tree, "--cert", ca(authority), "--format", "json")
        assert (result.status, result.document["layout"], result.document["changed"]) == (0, "debian", changed)


def test_a_rootfs_of_nothing_but_a_bundle(command, tmp_path, authority, other_authority, ca):
    """Distroless: no directory for anything, so thin-edge.io is pointed at the bundle itself."""
    bundle = tmp_path / "distroless" / BUNDLE
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(other_authority.pem)
    words = ("install", "--root", tmp_path / "distroless", "--cert", ca(authority), "--cloud", "c8y")
    for changed in (True, False):
        result = command(*words, "--format", "json")
        assert (result.status, result.document["layout"], result.document["changed"]) == (0, "bundle-only", changed)
    assert bundle.read_bytes() == other_authority.pem + authority.pem
    text = (tmp_path / "distroless/etc/tedge/tedge.toml").read_text()
    assert tomllib.loads(text)["c8y"] == {"root_cert_path": f"/{BUNDLE}"}


def test_a_root_that_is_not_a_directory(command, tmp_path):
    for path in (tmp_path / "none", "/dev/null"):
        result = command("install", "--root", path, "--format", "json")
        assert (result.status, result.errors) == (2, [("root", str(path))])


def test_crlf_line_ends_of_the_list_are_one_warning_and_one_finding(command, install, debian):
    conf = debian.path / "etc/ca-certificates.conf"
    names = [line for line in conf.read_text().splitlines() if line[:1] not in "#!"]
    assert len(names) > 1
    conf.write_bytes(b"".join(f"{name}\r\n".encode() for name in names) + b"mozilla/gone.crt\r\n")
    result = install("--format", "json")
    gone = "/usr/share/ca-certificates/mozilla/gone.crt\r"
    assert result.warnings == [("conf-crlf", "/etc/ca-certificates.conf"), ("source-missing", gone)]
    assert f"has {len(names)} lines" in result.document["warnings"][0]["message"]
    found = command("check", "--root", debian.path, "--select", "conf-crlf", "--format", "json").document["findings"]
    assert [each["path"] for each in found] == ["/etc/ca-certificates.conf"]
    (line,) = [each for each in found[0]["fix"].splitlines()]
    subprocess.run(line.partition(": ")[2].partition(" in the ")[0], shell=True, cwd=debian.path, check=True)
    conf.write_bytes(conf.read_bytes().replace(b"mozilla/gone.crt\n", b""))
    assert install("--format", "json").warnings == []
    assert command("check", "--root", debian.path).status == 0
