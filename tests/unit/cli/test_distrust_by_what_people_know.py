"""Distrust by key, by file, by incident and by the names of the root data: in remove, in the config, as policy."""

from __future__ import annotations

import json

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import CONF
from tests.support.layout_trees import ALPHA, BETA, FAMILIES, LayoutTree, shipped_authority
from tests.support.root_data import concerned, incident, left, root, spki, table, write

BY_NAME = {family.name: family for family in FAMILIES}
LAYOUTS = tuple(BY_NAME)
LEAKED, OTHER = shipped_authority(ALPHA), shipped_authority(BETA)
INTERMEDIATE = Authority("Leaked Intermediate", issuer=LEAKED)
CROSS = Authority("Leaked Intermediate", issuer=OTHER, key=INTERMEDIATE.key)


@pytest.fixture(params=LAYOUTS)
def tree(request, tmp_path, command):
    made = LayoutTree(tmp_path / "tree", BY_NAME[request.param])
    # OpenWrt's and others' stores are as the build left them; a store is written where there is none.
    assert command("install", "--root", made.path, "--drop-unsourced").status == 0
    return made


@pytest.fixture
def trusted(command):
    def digests(made: LayoutTree) -> set[str]:
        found = command("list", "--root", made.path, "--format", "json").document["anchors"]
        return {each["sha256"] for each in found if "server-auth" in each["purposes"]}

    return digests


def unchanged_by(command, made: LayoutTree, *words: object) -> None:
    before = made.snapshot()
    result = command(*words)
    assert result.status in (0, 2), result.err
    assert made.snapshot() == before


def test_a_key_takes_renewals_and_cross_signs_too(command, tree, trusted, tmp_path):
    renewed = LEAKED.renewed()
    cross = Authority(ALPHA, issuer=OTHER, key=LEAKED.key)
    for name, each in (("renewed", renewed), ("cross", cross)):
        (tmp_path / f"{name}.pem").write_bytes(each.pem)
        assert command("install", "--root", tree.path, "--cert", tmp_path / f"{name}.pem").status == 0
    held = trusted(tree)
    assert {LEAKED.sha256, OTHER.sha256} <= held
    words = ("remove", "--root", tree.path, f"spki:{spki(LEAKED)}")
    assert command(*words).status == 0
    assert trusted(tree) == held - {LEAKED.sha256, renewed.sha256, cross.sha256}
    unchanged_by(command, tree, *words)


def test_a_file_takes_its_certificate_and_no_other(command, tree, trusted, tmp_path):
    (tmp_path / "known.der").write_bytes(LEAKED.der)
    before = trusted(tree)
    words = ("remove", "--root", tree.path, f"file:{tmp_path / 'known.der'}")
    assert command(*words).status == 0
    assert trusted(tree) == before - {LEAKED.sha256}
    unchanged_by(command, tree, *words)


def test_an_intermediate_that_the_tree_does_not_hold(command, tree, trusted, tmp_path):
    (tmp_path / "leaked.pem").write_bytes(INTERMEDIATE.pem)
    words = ("remove", "--root", tree.path, f"file:{tmp_path / 'leaked.pem'}", "--format", "json")
    result = command(*words)
    issuer = f"sha256:{LEAKED.sha256}"
    if tree.family.p11kit:
        assert result.status == 0
        assert [path for _, path in result.actions if "/blocklist/" in path]
        (warning,) = (each for each in result.document["warnings"] if each["id"] == "intermediate-accepted")
        assert "OpenSSL, Go, Java and rustls still accept it" in warning["message"] and issuer in warning["hint"]
        unchanged_by(command, tree, *words)
    else:
        assert (result.status, result.errors) == (2, [("not-found", "")])
        assert issuer in result.document["errors"][0]["hint"]
    assert LEAKED.sha256 in trusted(tree)


def test_an_intermediate_in_the_config_that_the_tree_does_not_hold(command, tmp_path):
    made = LayoutTree(tmp_path / "tree", BY_NAME["debian"])
    (tmp_path / "leaked.pem").write_bytes(INTERMEDIATE.pem)
    config = tmp_path / "own.toml"
    config.write_text('[store]\ndistrust = ["file:leaked.pem"]\n')
    result = command("install", "--root", made.path, "--config", config, "--format", "json")
    (warning,) = (each for each in result.document["warnings"] if each["id"] == "distrust-unmatched")
    assert f"sha256:{LEAKED.sha256}" in warning["hint"]


@pytest.fixture
def data(tmp_path):
    """An incident: a leaked intermediate, its cross-sign, the root that issued it."""
    concerns = (
        concerned(LEAKED, "root"),
        concerned(INTERMEDIATE, "intermediate", by="certificate"),
        concerned(CROSS, "cross-sign", by="certificate"),
    )
    return write(tmp_path / "roots.json", table(root(LEAKED), incidents=(incident(*concerns),)))


def test_an_incident_in_the_config(command, tree, trusted, tmp_path, data):
    before = trusted(tree)
    config = tmp_path / "own.toml"
    config.write_text('[store]\ndistrust = ["test-2026-1"]\n')
    words = ("install", "--root", tree.path, "--config", config, "--root-data", data, "--format", "json")
    result = command(*words)
    assert result.status == 0
    assert trusted(tree) == before - {LEAKED.sha256}
    # The cross-sign's issuer stays trusted, which has to be said.
    told = [each for each in result.document["warnings"] if each["id"] == "intermediate-accepted"]
    assert [f"sha256:{OTHER.sha256}" in each["hint"] for each in told] == [True]
    again = command(*words)
    assert not again.document["changed"]
    if tree.family.p11kit:
        assert len(list((tree.path / tree.family.local[1:] / "../blocklist").iterdir())) == 3


def test_selections_that_match_nothing(command, debian, tmp_path):
    nothing = "0" * 64
    for argument in (f"spki:{nothing}", f"sha256:{nothing}"):
        result = command("remove", "--root", debian.path, argument, "--format", "json")
        assert (result.status, result.errors) == (2, [("not-found", "")])
    config = tmp_path / "own.toml"
    config.write_text(f'[store]\ndistrust = ["{nothing}", "spki:{nothing}", "CVE-2026-111943"]\n')
    result = command("install", "--root", debian.path, "--config", config, "--format", "json")
    assert result.status == 0
    assert result.warnings == [("distrust-unmatched", "")] * 3


def test_names_of_the_root_data(command, debian, data):
    words = ("remove", "--root", debian.path, "--root-data", data, "--format", "json")
    wrong = command(*words, "Alpha Rot")
    assert wrong.status == 2 and 'did you mean "Alpha Root"' in wrong.document["errors"][0]["hint"]
    wrong = command(*words, "TEST-2026-2")
    assert wrong.status == 2 and '"TEST-2026-1"' in wrong.document["errors"][0]["hint"]
    # The tree's own name wins: the Debian tree has another certificate of this name.
    assert command(*words, "Alpha_Root").anchors.keys() == {"Alpha_Root"}


def test_a_root_by_the_name_of_the_root_data(command, debian, install, tmp_path):
    mine = Authority("Sample Root X1")
    (tmp_path / "short.pem").write_bytes(mine.pem)
    install("--cert", tmp_path / "short.pem")
    data = write(tmp_path / "roots.json", table(root(mine)))
    result = command("remove", "--root", debian.path, "--root-data", data, "Sample Root X1", "--format", "json")
    assert result.anchors == {"short": mine.sha256}


def test_bad_arguments_are_one_error_each(command, debian, tmp_path):
    (tmp_path / "key.pem").write_bytes(LEAKED.key_pem)
    words = ("remove", "--root", debian.path, "--format", "json")
    for argument, id_ in (
        ("spki:12", "usage"),
        ("file:/nowhere.pem", "unreadable"),
        (f"file:{tmp_path / 'key.pem'}", "private-key"),
    ):
        result = command(*words, argument)
        assert (result.status, [each for each, _ in result.errors]) == (2, [id_])


def test_an_incident_is_forbidden(command, debian, install, tmp_path):
    mine = Authority("Inspection CA")
    (tmp_path / "mine.pem").write_bytes(mine.pem)
    install("--cert", tmp_path / "mine.pem")
    data = write(tmp_path / "roots.json", table(incidents=(incident(concerned(mine, "root", by="spki")),)))
    config = tmp_path / "own.toml"
    config.write_text('[policy]\nforbid = ["TEST-2026-1"]\n')
    words = ("--root", debian.path, "--config", config, "--root-data", data, "--format", "json")
    found = command("check", *words).document["findings"]
    assert {each["id"] for each in found} == {"forbidden", "root-compromised"}
    result = command("install", *words, "--cert", tmp_path / "mine.pem")
    assert (result.status, [each for each, _ in result.errors]) == (2, ["forbidden"])


# -- the root program, and the list of what is allowed ------------------------------------------------------


def test_only_what_the_root_program_trusts(command, tree, trusted, tmp_path):
    mine, missing = Authority("My CA"), Authority("Root Not Here")
    (tmp_path / "mine.pem").write_bytes(mine.pem)
    data = write(tmp_path / "roots.json", table(root(OTHER), root(LEAKED, left=left()), root(missing)))
    config = tmp_path / "own.toml"
    config.write_text('[store]\nprogram = "mozilla"\n[[anchor]]\nfile = "mine.pem"\n')
    words = ("install", "--root", tree.path, "--config", config, "--root-data", data, "--format", "json")
    result = command(*words)
    assert result.status == 0
    assert trusted(tree) == {OTHER.sha256, mine.sha256}
    told = {each["id"]: each["message"] for each in result.document["warnings"]}
    assert "2 roots that the distribution ships: not in Mozilla's root program" in told["program-removed"]
    assert ALPHA in told["program-removed"] and "Root Not Here" in told["program-missing"]
    again = command(*words)
    assert not again.document["changed"]
    assert "program-removed" not in {each["id"] for each in again.document["warnings"]}


def test_the_root_program_at_the_time_of_the_run(command, tmp_path):
    """A root that leaves tomorrow is trusted today; distrust-after spares what it issued before."""
    made = LayoutTree(tmp_path / "tree", BY_NAME["debian"])
    leaving, ending = root(LEAKED, left=left("2026-04-15")), {"date": "2026-01-01", "source": "a list"}
    data = write(tmp_path / "roots.json", table(leaving, root(OTHER, distrust_after=ending)))
    config = tmp_path / "own.toml"
    config.write_text('[store]\nprogram = "mozilla"\n')

    def kept(at: str) -> list[str]:
        words = ("--config", config, "--root-data", data, "--at", at, "--drop-unsourced", "--dry-run")
        result = command("install", "--root", made.path, *words, "--format", "json")
        (told,) = (each["message"] for each in result.document["warnings"] if each["id"] == "program-removed")
        return [name for name in (ALPHA, BETA) if name not in told]

    assert kept("2026-04-14") == [ALPHA, BETA]
    assert kept("2026-04-15") == [BETA]
    assert kept("2027-03-01") == []


def test_every_other_anchor_is_an_error(command, debian, install, tmp_path):
    mine = Authority("My CA")
    (tmp_path / "mine.pem").write_bytes(mine.pem)
    install("--cert", tmp_path / "mine.pem")
    anchors = command("list", "--root", debian.path, "--format", "json").document["anchors"]
    digests = {each["name"]: each["sha256"] for each in anchors}
    config = tmp_path / "own.toml"
    allowed = [f"sha256:{digests['Alpha_Root']}"]
    config.write_text(f'[policy]\nallow_only = {json.dumps(allowed)}\n[[anchor]]\nfile = "mine.pem"\n')
    found = command("check", "--root", debian.path, "--config", config, "--format", "json").document["findings"]
    told = {each["sha256"] for each in found if (each["id"], each["level"]) == ("not-allowed", "error")}
    assert told == {digests["Beta_Root"], digests["Gamma_Root"]}


def test_an_install_without_any_of_this_reads_no_table(command, debian, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("rootfs_trust.inputs.root_data.parse_root_data", fail)
    monkeypatch.setattr("rootfs_trust.inputs.root_data._load", fail)
    config = tmp_path / "own.toml"
    config.write_text(f'[store]\ndistrust = ["{OTHER.sha256}"]\n')
    assert command("install", "--root", debian.path, "--config", config).status == 0
    assert b"Alpha" in debian.read(CONF)
