"""``check`` at the command line: what is printed, in which form, and the exit status."""

from __future__ import annotations

import os

import pytest

from rootfs_trust.audit.check import KINDS
from tests.support.authority import DAY, NOW, Authority

LEVELS = ("error", "warning", "note")


@pytest.fixture
def check(command, debian):
    def run(*words):
        return command("check", "--root", debian.path, *words)

    return run


@pytest.fixture
def installed(install, tmp_path):
    """The tree with a CA of its own, as install leaves it."""
    (tmp_path / "my-ca.pem").write_bytes(Authority("My CA").pem)
    assert install("--cert", tmp_path / "my-ca.pem", "--cloud", "c8y").status == 0


def found(result):
    return {each["id"]: each for each in result.document["findings"]}


@pytest.mark.usefixtures("installed")
def test_a_clean_tree(check, debian):
    before = debian.snapshot()
    result = check()
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[-1] == f"1 note in {debian.path}."
    assert check("-q") == result.__class__(0, "", "")
    assert list(found(check("--format", "json"))) == ["proxy-ca-path"]
    assert check("--fail-on", "note").status == 1
    assert check("--fail-on", "note", "--ignore", "proxy-ca-path").out == f"Nothing found in {debian.path}.\n"
    assert debian.snapshot() == before


@pytest.mark.usefixtures("installed")
def test_findings_as_text_and_as_json(check, debian, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    (debian.path / "etc/ssl/certs/my-ca.pem").unlink()
    result = check("--format", "json")
    assert result.status == 1
    levels = [each["level"] for each in result.document["findings"]]
    assert levels == sorted(levels, key=LEVELS.index)
    link = found(result)["hash-link-dangling"]
    assert set(link) == {"id", "level", "path", "line", "message", "why", "fix", "command"}
    text = check()
    assert f"error hash-link-dangling: {link['path']}: {link['message']}\n    fix: {link['fix']}\n" in text.out
    assert link["why"] not in text.out
    assert link["why"] in check("-v").out


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("fail_on", "status"), [("error", 0), ("warning", 1), ("note", 1)])
def test_the_exit_status_goes_by_the_level(check, debian, fail_on, status):
    debian.write("usr/local/share/ca-certificates/other.txt", Authority("Other CA").pem)
    result = check("--select", "ignored-source", "--fail-on", fail_on)
    assert (result.status, "ignored-source" in result.out) == (status, True)


@pytest.mark.usefixtures("installed")
def test_select_and_ignore(check, debian):
    debian.write("usr/local/share/ca-certificates/other.txt", Authority("Other CA").pem)
    assert list(found(check("--select", "ignored-source", "--format", "json"))) == ["ignored-source"]
    assert "ignored-source" not in found(check("--ignore", "ignored-source", "--format", "json"))
    both = check("--select", "ignored-source", "--ignore", "ignored-source")
    assert (both.status, both.out.startswith("Nothing found")) == (0, True)


def test_unknown_ids_are_refused_with_near_ones(check):
    result = check("--select", "hash-link-mising", "--ignore", "nonsense", "--format", "json")
    assert result.status == 2
    hints = [each["hint"] for each in result.document["errors"]]
    assert "hash-link-missing" in hints[0] and hints[1]


def test_the_policy_of_the_current_directory_counts(check, install, debian, tmp_path):
    ca = Authority("My CA", not_after=NOW + 100 * DAY)
    (tmp_path / "my-ca.pem").write_bytes(ca.pem)
    install("--cert", tmp_path / "my-ca.pem")
    assert "expires-soon" not in found(check("--format", "json"))
    with open("rootfs-trust.toml", "w") as file:
        file.write(f'[policy]\nmin_days_left = 365\nforbid = ["{ca.sha256}"]\n')
    assert {"expires-soon", "forbidden"} <= set(found(check("--format", "json")))
    later = (NOW + 200 * DAY).isoformat()
    assert found(check("--at", later, "--format", "json"))["expired"]["level"] == "error"
    os.unlink("rootfs-trust.toml")
    assert "forbidden" not in found(check("--format", "json"))


def test_a_tree_of_no_known_layout(command, tmp_path):
    (tmp_path / "root").mkdir()
    result = command("check", "--root", tmp_path / "root", "--format", "json")
    assert (result.status, list(found(result))) == (1, ["no-store"])


def test_a_directory_that_is_none(command, tmp_path):
    result = command("check", "--root", tmp_path / "nowhere", "--format", "json")
    assert (result.status, [each[0] for each in result.errors]) == (2, ["root"])


def test_every_kind_is_reported_in_full():
    for kind in KINDS.values():
        assert set(kind.levels) <= set(LEVELS) and kind.levels
        assert kind.title and kind.why.endswith(".") and kind.fix and not kind.fix.endswith(".")


PLAIN = b'root_cert_path = "/data/plain"\n'


def of_thin_edge(check):
    both = check("--format", "json").document["findings"]
    return [(each["id"], each["path"]) for each in both if each["id"].startswith("thin-edge")]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("said", "wanted"),
    [("", []), ("[mqtt.bridge]\nbuilt_in = false\n", [("thin-edge-setting", "/etc/tedge/mappers/az/mapper.toml")])],
)
def test_2_x_needs_no_hash_links_unless_mosquitto_is_its_bridge(check, debian, said, wanted):
    debian.write("data/plain/ca.pem", Authority("Plain").pem)
    debian.write("etc/tedge/mappers/az/mapper.toml", b'cloud_type = "az"\n' + PLAIN)
    debian.write("etc/tedge/tedge.toml", f'[config]\nversion = "2"\n{said}'.encode())
    assert of_thin_edge(check) == wanted


@pytest.mark.usefixtures("installed")
def test_any_mapper_of_a_cloud_makes_its_table_in_tedge_toml_idle(check, debian):
    debian.write("etc/tedge/mappers/c8y.edge/mapper.toml", b'cloud_type = "c8y"\n')
    assert of_thin_edge(check) == [("thin-edge-both", "/etc/tedge/tedge.toml")]


@pytest.mark.usefixtures("installed")
def test_the_path_of_a_custom_mapper_is_checked(check, debian):
    file = "/etc/tedge/mappers/thingsboard/mapper.toml"
    debian.write(file[1:], b'[device]\nroot_cert_path = "ca.pem"\n')
    assert of_thin_edge(check) == [("thin-edge-setting", file)]
    debian.write("etc/tedge/mappers/thingsboard/ca.pem", Authority("Thingsboard").pem)
    assert of_thin_edge(check) == []


def test_an_expired_anchor_that_is_allowed_is_a_note(check, install, debian, tmp_path):
    (tmp_path / "old.pem").write_bytes(Authority("Old CA", not_after=NOW - DAY).pem)
    config = tmp_path / "edge.toml"
    config.write_text('[[anchor]]\nfile = "old.pem"\nallow = ["expired"]\n')
    assert install("--config", config).status == 0
    assert found(check("--format", "json"))["expired"]["level"] == "error"
    let_in = check("--config", config, "--format", "json")
    assert (let_in.status, found(let_in)["expired"]["level"]) == (0, "note")


def test_quiet_names_errors_and_nothing_else(command, debian):
    (debian.path / "usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)
    debian.write("usr/local/share/ca-certificates/broken.crt", b"-----BEGIN CERTIFICATE-----\n")
    result = command("check", "--root", debian.path, "-q")
    lines = [line for line in result.out.splitlines() if not line.startswith("    ")]
    assert result.status == 1 and lines
    assert all(line.startswith("error ") for line in lines)


def test_a_finding_about_the_whole_tree_names_it_by_its_path_on_the_host(command, tmp_path):
    result = command("check", "--root", tmp_path)
    assert result.out.startswith(f"warning no-store: {tmp_path}: has no trust store")
    (finding,) = command("check", "--root", tmp_path, "--format", "json").document["findings"]
    assert finding["path"] == "/"
