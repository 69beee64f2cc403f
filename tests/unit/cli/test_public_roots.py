"""What is known of public roots, as check, list, diff, report and sbom print it."""

from __future__ import annotations

import json

import pytest

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
    assert f"fix: run rootfs-trust remove --root {store.path} sha256:{GAMMA.sha256}" in result.out
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
