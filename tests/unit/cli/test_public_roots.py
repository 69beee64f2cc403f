"""What is known of public roots, as check, list, diff, report and sbom print it."""

from __future__ import annotations

import json

import pytest

from rootfs_trust.api import fixes
from rootfs_trust.api.planning import read_job
from tests.support.debian_tree import DebianTree, shipped_authority
from tests.support.root_data import concerned, incident, left, root, table, write

ALPHA, BETA, GAMMA = (shipped_authority(f"mozilla/{name}_Root.crt") for name in ("Alpha", "Beta", "Gamma"))
BY_AGE = left(note="keys made before 2008", note_source="a policy")


@pytest.fixture
def data(tmp_path):
    """Alpha and Beta left together, Gamma is part of an incident."""
    roots = (root(ALPHA, left=BY_AGE), root(BETA, left=BY_AGE), root(GAMMA))
    incidents = (incident(concerned(GAMMA, "root", note="issued the leaked CA")),)
    return write(tmp_path / "roots.json", table(*roots, incidents=incidents))


@pytest.fixture
def store(install, debian):
    install()
    return debian


def test_roots_that_left_together_are_one_line(command, store, data):
    result = command("check", "--root", store.path, "--root-data", data)
    (line,) = (line for line in result.out.splitlines() if "root-removed" in line)
    assert line == (
        "note root-removed: 2 roots, each of which left Mozilla's root program on 2026-04-15 because of its age: "
        "keys made before 2008 (a policy; a list of the tests): Alpha_Root, Beta_Root"
    )
    assert "Gamma_Root (issued the leaked CA) is affected by TEST-2026-1 of " in result.out
    assert f"fix: run rootfs-trust remove --root {store.path} TEST-2026-1 --root-data {data}" in result.out
    assert result.status == 1


def test_json_has_a_finding_for_each_root_with_its_digest(command, store, data):
    found = command("check", "--root", store.path, "--root-data", data, "--format", "json").document["findings"]
    told = {(each["id"], each["level"], each["sha256"]) for each in found}
    assert told == {
        ("root-compromised", "error", GAMMA.sha256),
        ("root-removed", "note", ALPHA.sha256),
        ("root-removed", "note", BETA.sha256),
    }
    assert all(each["message"].startswith("Alpha_Root left") for each in found if each["sha256"] == ALPHA.sha256)


def test_for_cause_is_a_warning(command, store, tmp_path):
    data = write(tmp_path / "roots.json", table(root(ALPHA, left=left(reason="cause", note="it lied"))))
    found = command("check", "--root", store.path, "--root-data", data, "--format", "json").document["findings"]
    assert [(each["id"], each["level"]) for each in found] == [("root-removed", "warning")]
    assert "for cause: it lied (a list of the tests)" in found[0]["message"]


def test_list_has_the_status_and_selects_by_it(command, store, data):
    def listed(*words: str) -> dict[str, tuple[str, str | None]]:
        result = command("list", "--root", store.path, "--root-data", data, "--format", "json", *words)
        return {each["name"]: (each["status"], each["status_reason"]) for each in result.document["anchors"]}

    everything = listed()
    assert {name: word for name, (word, _) in everything.items()} == {
        "Alpha_Root": "removed",
        "Beta_Root": "removed",
        "Gamma_Root": "compromised",
    }
    assert "left Mozilla's root program on 2026-04-15" in everything["Alpha_Root"][1]
    assert listed("--status", "compromised,trusted").keys() == {"Gamma_Root"}
    wrong = command("list", "--root", store.path, "--status", "remove")
    assert wrong.status == 2 and 'did you mean "removed"?' in wrong.err


def test_diff_and_a_report_say_why_a_root_went(command, install, store, data, tmp_path):
    later = DebianTree(tmp_path / "later")
    for name in ("Alpha", "Gamma"):
        (later.path / f"usr/share/ca-certificates/mozilla/{name}_Root.crt").unlink()
    later.write("etc/ca-certificates.conf", b"mozilla/Beta_Root.crt\n")
    command("install", "--root", later.path)
    text = command("diff", store.path, later.path, "--root-data", data).out
    assert ": left Mozilla's root program on 2026-04-15 because of its age" in text
    assert ": is affected by TEST-2026-1" in text
    document = command("diff", store.path, later.path, "--root-data", data, "--format", "json").document
    assert [each["reason"].split()[0] for each in document["removed"]] == ["left", "is"]
    page = command("report", "--root", later.path, "--baseline", store.path, "--root-data", data, "-o", "-").out
    assert "left Mozilla&#39;s root program on 2026-04-15" in page


def test_the_sbom_has_the_status(command, store, data):
    words = ("sbom", "--root", store.path, "--root-data", data)
    document = json.loads(command(*words).out)
    found = {
        each["name"]: {prop["name"]: prop["value"] for prop in each.get("properties", ())}
        for each in document["components"]
    }
    assert found["Gamma_Root"]["rootfs-trust:status"] == "compromised"
    assert "TEST-2026-1" in found["Gamma_Root"]["rootfs-trust:status-reason"]
    assert '\\"status\\": \\"removed\\"' in command(*words, "--format", "spdx").out


def test_a_broken_table_is_one_error_of_each_command(command, store, tmp_path):
    data = tmp_path / "roots.json"
    data.write_text("{}")
    for words in (("check",), ("list",), ("sbom",), ("report", "-o", "-")):
        result = command(*words, "--root", store.path, "--root-data", data)
        assert result.status == 2 and not result.out
        assert result.err.splitlines() == [
            f"rootfs-trust: error: {data}: format is missing; docs/root-data.md describes the format"
        ]


def commands_of(result) -> dict[str, str | None]:
    """The command that fixes each finding of an anchor, by the id of the finding."""
    return {each["id"]: each["command"] for each in result.document["findings"] if each.get("sha256") == ALPHA.sha256}


@pytest.fixture
def stale(store, tmp_path):
    """A table in which Alpha left for cause. The list distrusts it, but nobody has rebuilt the store since."""
    conf = store.read("etc/ca-certificates.conf").replace(b"mozilla/Alpha", b"!mozilla/Alpha")
    store.write("etc/ca-certificates.conf", conf)
    return write(tmp_path / "roots.json", table(root(ALPHA, left=left(reason="cause", note="it lied"))))


def test_a_removed_root_of_a_stale_store_gets_the_command_that_fixes_the_store(command, store, stale):
    words = ("check", "--root", store.path, "--root-data", stale, "--format", "json")
    assert commands_of(command(*words))["root-removed"] == (
        f"rootfs-trust install --root {store.path} --root-data {stale}"
    )
    assert command("install", "--root", store.path, "--root-data", stale).status == 0
    assert "root-removed" not in commands_of(command(*words))


def test_a_fix_uses_the_table_that_check_was_given(command, store, tmp_path):
    """The config distrusts an incident that only this table has."""
    data = write(tmp_path / "roots.json", table(root(ALPHA), incidents=(incident(concerned(ALPHA, "root")),)))
    config = tmp_path / "rt.toml"
    config.write_text('[store]\ndistrust = ["TEST-2026-1"]\n')
    words = ("--root", store.path, "--config", config, "--root-data", data)
    (line,) = {each for each in commands_of(command("check", *words, "--format", "json")).values() if each}
    assert line == f"rootfs-trust install --root {store.path} --config {config} --root-data {data}"
    assert command(*line.split()[1:]).status == 0
    assert not commands_of(command("check", *words, "--format", "json"))


def test_select_of_another_finding_tries_no_command(command, store, stale, monkeypatch):
    tried = []
    monkeypatch.setattr(fixes, "read_job", lambda options: tried.append(options) or read_job(options))
    words = ("check", "--root", store.path, "--root-data", stale, "--format", "json")
    for more in (("--select", "expired"), ("--ignore", "root-removed", "--ignore", "distrusted-yet-trusted")):
        command(*words, *more)
        assert tried == []
    assert list(commands_of(command(*words, "--select", "root-removed"))) == ["root-removed"]
    command(*words)
    assert tried
